package daemon

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/addon"
	"egk8s.dev/egk8s/testdata/cluster/internal/component"
	"egk8s.dev/egk8s/testdata/cluster/internal/kube"
	"egk8s.dev/egk8s/testdata/cluster/internal/network"
	"egk8s.dev/egk8s/testdata/cluster/internal/pki"
	"egk8s.dev/egk8s/testdata/cluster/internal/sandbox"
)

// bringUp starts everything and returns when the cluster is ready.
func (d *daemon) bringUp(ctx context.Context) error {
	if err := d.host.open(d.cluster.Data(), d.spec.Nodes > 0); err != nil {
		return err
	}
	plane, err := d.planeSettings()
	if err != nil {
		return err
	}
	if err := d.writeIdentities(plane); err != nil {
		return err
	}
	d.step("certificates made")
	if err := d.startPlane(plane); err != nil {
		return err
	}
	ready, err := d.startNodes(ctx, plane)
	if err != nil {
		return err
	}
	if err := d.waitPlane(ctx, plane); err != nil {
		return err
	}
	return ready(ctx)
}

func (d *daemon) planeSettings() (component.ControlPlane, error) {
	plane := component.ControlPlane{
		Address:    loopback,
		PKI:        d.pki,
		Data:       filepath.Join(d.cluster.Data(), "etcd"),
		Kubeconfig: d.cluster.PKI(),
		Services:   d.ranges.Services(),
		Nodes:      d.spec.Nodes > 0,
	}
	if plane.Nodes {
		plane.Address = d.ranges.ControlPlane()
		plane.Pods = d.ranges.Pods()
		plane.Ports = component.Ports{API: 6443, Etcd: 2379, EtcdPeer: 2380}
		return plane, nil
	}
	ports, err := network.FreePorts(loopback, 3)
	if err != nil {
		return plane, err
	}
	plane.Ports = component.Ports{API: ports[0], Etcd: ports[1], EtcdPeer: ports[2]}
	return plane, nil
}

// writeIdentities makes certificates and kubeconfigs.
func (d *daemon) writeIdentities(plane component.ControlPlane) error {
	hosts := []string{
		"localhost", loopback, plane.Address, d.ranges.API(), "kubernetes", "kubernetes.default",
		"kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
	}
	err := d.pki.WriteCluster(pki.Options{
		ServerHosts: hosts,
		EtcdHosts:   []string{"localhost", loopback, plane.Address},
		Nodes:       d.nodeAddresses(),
		Now:         time.Now(),
	})
	if err != nil {
		return err
	}
	inside := map[string]string{"controller-manager": "controller-manager", "scheduler": "scheduler"}
	if plane.Nodes {
		inside["proxy"] = "proxy"
		for name := range d.nodeAddresses() {
			inside["node-"+name] = "node-" + name
		}
	}
	for name, pair := range inside {
		k := component.Kubeconfig{Name: "egkube", Server: plane.Server(), PKI: d.pki, Pair: pair}
		if err := k.Write(component.KubeconfigPath(plane.Kubeconfig, name)); err != nil {
			return err
		}
	}
	return d.writeAdmin(plane)
}

// writeAdmin writes the kubeconfig for whoever asked for the cluster.
func (d *daemon) writeAdmin(plane component.ControlPlane) error {
	server := plane.Server()
	if d.host.api != nil {
		server = "https://" + d.host.api.Addr().String()
	}
	k := component.Kubeconfig{Name: "egkube-" + d.spec.Name, Server: server, PKI: d.pki, Pair: "admin"}
	if err := k.Write(d.cluster.Kubeconfig()); err != nil {
		return err
	}
	if err := os.Chown(d.cluster.Kubeconfig(), d.spec.UID, d.spec.GID); err != nil {
		return fmt.Errorf("give kubeconfig to its owner: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state.Server = server
	d.state.Host = d.host.name()
	d.save()
	return nil
}

// startPlane makes the control plane's sandbox, and its network when it has one.
func (d *daemon) startPlane(plane component.ControlPlane) error {
	spec := sandbox.Spec{Name: "control-plane", Isolated: plane.Nodes, Programs: d.planePrograms(plane)}
	b, err := startBox(d.cluster, spec)
	if err != nil {
		return err
	}
	d.plane = b
	d.watch(b)
	if plane.Nodes {
		if err := d.joinPlane(plane); err != nil {
			return err
		}
	}
	return b.begin()
}

// planePrograms start one after another, so that none asks in vain and then
// waits a second before it asks again.
func (d *daemon) planePrograms(plane component.ControlPlane) []sandbox.Program {
	server := &sandbox.Target{URL: plane.Server() + "/readyz", CA: d.pki.CA("kubernetes")}
	etcd := &sandbox.Target{Network: "tcp", Address: plane.Etcd()}
	return []sandbox.Program{
		d.program("etcd", plane.EtcdArgs(), nil),
		d.program("kube-apiserver", plane.APIServerArgs(), etcd),
		d.program("kube-controller-manager", plane.ControllerManagerArgs(), server),
		d.program("kube-scheduler", plane.SchedulerArgs(), server),
	}
}

// program is one of the programs in the Kubernetes binary.
func (d *daemon) program(name string, args []string, after *sandbox.Target) sandbox.Program {
	return sandbox.Program{
		Name:  name,
		Path:  filepath.Join(d.spec.Build, "kubernetes"),
		Args:  args,
		Log:   filepath.Join(d.cluster.Logs(), name+".log"),
		After: after,
	}
}

// waitPlane returns when pods can be made.
func (d *daemon) waitPlane(ctx context.Context, plane component.ControlPlane) error {
	target := sandbox.Target{URL: d.state.Server + "/readyz", CA: d.pki.CA("kubernetes")}
	if err := target.Wait(ctx); err != nil {
		return err
	}
	d.step("API server ready")
	client, err := kube.NewClient(d.cluster.Kubeconfig())
	if err != nil {
		return err
	}
	d.client = client
	values := addon.Values{Registry: d.host.name(), DNS: d.ranges.DNS(), CoreDNS: coreDNSImage}
	wanted := []string{addon.Access, addon.Registry}
	if plane.Nodes {
		values.RegistryInside = net.JoinHostPort(plane.Address, registryPort)
		wanted = append(wanted, addon.DNS)
	}
	for _, name := range wanted {
		manifest, err := addon.Render(name, values)
		if err != nil {
			return err
		}
		if err := client.Apply(ctx, manifest); err != nil {
			return err
		}
	}
	if err := client.WaitServiceAccount(ctx, "default"); err != nil {
		return err
	}
	d.step("default ServiceAccount there (" + strconv.Itoa(len(wanted)) + " manifests applied)")
	return nil
}
