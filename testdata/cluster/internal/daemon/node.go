package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"egk8s.dev/egk8s/testdata/cluster/internal/build"
	"egk8s.dev/egk8s/testdata/cluster/internal/cgroup"
	"egk8s.dev/egk8s/testdata/cluster/internal/component"
	"egk8s.dev/egk8s/testdata/cluster/internal/debian"
	"egk8s.dev/egk8s/testdata/cluster/internal/network"
	"egk8s.dev/egk8s/testdata/cluster/internal/sandbox"
)

// coreDNSImage is the name server's image, loaded into every node.
const coreDNSImage = build.CoreDNSImage

// node is a node that runs.
type node struct {
	component.Node
	// number counts from 1.
	number int
	box    *box
	space  *network.Namespace
}

func (d *daemon) nodeName(n int) string { return d.spec.Name + "-" + strconv.Itoa(n) }

// nodeAddresses are the nodes that will be, with their addresses.
func (d *daemon) nodeAddresses() map[string]string {
	all := map[string]string{}
	for n := 1; n <= d.spec.Nodes; n++ {
		all[d.nodeName(n)] = d.ranges.Node(n)
	}
	return all
}

// joinPlane gives the control plane its network and its ways to the host.
func (d *daemon) joinPlane(plane component.ControlPlane) error {
	space, err := network.OpenNamespace(d.plane.pid)
	if err != nil {
		return err
	}
	d.space = space
	if err := network.MakeBridge(space, plane.Address, d.ranges.NodeBits()); err != nil {
		return err
	}
	return d.host.connect(space, plane.Address, strconv.Itoa(plane.Ports.API))
}

// startNodes makes the nodes, whose runtimes start at once and take in the first
// images while the control plane comes up. What it returns waits for the rest.
func (d *daemon) startNodes(ctx context.Context, plane component.ControlPlane) (func(context.Context) error, error) {
	if d.spec.Nodes == 0 {
		return func(context.Context) error { return nil }, nil
	}
	groups, err := cgroup.Machine()
	if err != nil {
		return nil, err
	}
	for n := 1; n <= d.spec.Nodes; n++ {
		if err := cgroup.Create(groups, d.cluster.ID(), d.nodeName(n)); err != nil {
			return nil, err
		}
		made, err := d.makeNode(n, plane)
		if err != nil {
			return nil, err
		}
		d.nodes = append(d.nodes, made)
	}
	if err := d.connectNodes(); err != nil {
		return nil, err
	}
	for _, n := range d.nodes {
		if err := n.box.begin(); err != nil {
			return nil, err
		}
	}
	images := errgroup.Group{}
	images.Go(func() error { return d.firstImages(ctx) })
	return func(ctx context.Context) error {
		if err := images.Wait(); err != nil {
			return err
		}
		return d.waitNodes(ctx)
	}, nil
}

// makeNode writes a node's files and makes its sandbox, not yet its programs.
func (d *daemon) makeNode(number int, plane component.ControlPlane) (*node, error) {
	name := d.nodeName(number)
	dir := d.cluster.Node(name)
	root := filepath.Join(dir, "root")
	files := component.Node{
		Cluster: d.spec.Name, Name: name, Address: d.ranges.Node(number),
		Pods: d.ranges.PodsOf(number), AllPods: d.ranges.Pods(), DNS: d.ranges.DNS(),
		Dir: filepath.Join(dir, "etc"), PKI: d.pki, Kubeconfig: plane.Kubeconfig,
		CGroup: cgroup.Path(d.cluster.ID(), name),
		CNI:    d.spec.Tools.CNI, Runc: d.tool("runc"), Pause: build.PauseImage,
		Snapshotter: snapshotter(d.cluster.Dir),
		Registry:    d.host.name(), Mirror: plane.Address + ":" + registryPort,
	}
	if err := files.WriteFiles(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("make node %s: %w", name, err)
	}
	binds := []string{files.Dir, d.pki.Dir, d.cluster.Logs(), d.spec.Build}
	if d.spec.Tools.Root != "" {
		binds = append(binds, d.spec.Tools.Root)
	}
	b, err := startBox(d.cluster, sandbox.Spec{
		Name: name, Isolated: true, Root: &sandbox.Root{Dir: root, Binds: binds},
		Sysctls:     map[string]string{"net/ipv4/ip_forward": "1"},
		Environment: d.toolEnvironment(),
		Programs:    d.nodePrograms(files, plane),
	})
	if err != nil {
		return nil, err
	}
	d.watch(b)
	n := &node{Node: files, number: number, box: b}
	if n.space, err = network.OpenNamespace(b.pid); err != nil {
		b.destroy()
		return nil, err
	}
	return n, nil
}

func (d *daemon) nodePrograms(n component.Node, plane component.ControlPlane) []sandbox.Program {
	server := &sandbox.Target{URL: plane.Server() + "/readyz", CA: d.pki.CA("kubernetes")}
	containerd := d.program("containerd", n.ContainerdArgs(), nil)
	containerd.Path = d.tool("containerd")
	programs := []sandbox.Program{
		containerd,
		d.program("kubelet", n.KubeletArgs(), server),
		d.program("kube-proxy", n.ProxyArgs(), server),
	}
	for i := range programs {
		programs[i].Log = filepath.Join(d.cluster.Logs(), n.Name+"."+programs[i].Name+".log")
	}
	return programs
}

// connectNodes joins the nodes with the control plane and gives everybody routes
// to the pods of all others.
func (d *daemon) connectNodes() error {
	toPods := func(except int) []network.Route {
		var routes []network.Route
		for n := 1; n <= d.spec.Nodes; n++ {
			if n != except {
				routes = append(routes, network.Route{To: d.ranges.PodsOf(n), Via: d.ranges.Node(n)})
			}
		}
		return routes
	}
	for _, n := range d.nodes {
		err := network.Join(d.space, n.space, linkOf(n.number), n.Address, d.ranges.NodeBits())
		if err != nil {
			return err
		}
		// Service addresses only need some route: the rules of kube-proxy turn a
		// packet to one round before it leaves the node.
		services := network.Route{To: d.ranges.Services(), Via: d.ranges.ControlPlane()}
		if err := network.AddRoutes(n.space, append(toPods(n.number), services)); err != nil {
			return err
		}
	}
	return network.AddRoutes(d.space, toPods(0))
}

// waitNodes returns when every node is ready and names are answered.
func (d *daemon) waitNodes(ctx context.Context) error {
	all, ctx2 := errgroup.WithContext(ctx)
	for _, n := range d.nodes {
		all.Go(func() error { return d.client.WaitNode(ctx2, n.Name) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	d.step(fmt.Sprintf("%d nodes ready", len(d.nodes)))
	if err := d.client.WaitDeployment(ctx, "kube-system", "coredns"); err != nil {
		return err
	}
	d.step("name server ready")
	return nil
}

func (d *daemon) tool(name string) string {
	return debian.Place{Path: d.spec.Tools.Path}.Program(name)
}

// toolEnvironment lets the tools find each other and their libraries.
func (d *daemon) toolEnvironment() []string {
	env := []string{"PATH=" + strings.Join(d.spec.Tools.Path, ":")}
	if len(d.spec.Tools.Libraries) > 0 {
		env = append(env,
			"LD_LIBRARY_PATH="+strings.Join(d.spec.Tools.Libraries, ":"),
			"XTABLES_LIBDIR="+filepath.Join(d.spec.Tools.Libraries[0], "xtables"))
	}
	return env
}

// snapshotter is overlayfs unless the folder lies on one itself, as in a
// container: those cannot be stacked.
func snapshotter(dir string) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err == nil && fs.Type == unix.OVERLAYFS_SUPER_MAGIC {
		return "native"
	}
	return "overlayfs"
}

var errNoNodes = errors.New("load image: this cluster has no nodes")

// linkOf is the name of a node's link at the control plane's bridge.
func linkOf(number int) string { return "node" + strconv.Itoa(number) }

// link switches a node's only link on or off: without it the node is lost to all others, and its pods run on.
func (d *daemon) link(number int, up bool) error {
	for _, n := range d.nodes {
		if n.number == number {
			return network.SetLink(d.space, linkOf(number), up)
		}
	}
	return fmt.Errorf("link of node %d: this cluster has %d nodes", number, len(d.nodes))
}
