// Package component knows the command lines and configuration files of the
// programs that make up a cluster.
package component

import (
	"net"
	"strconv"

	"egk8s.dev/egk8s/testdata/cluster/internal/pki"
)

// ControlPlane is what the control plane's command lines depend on.
type ControlPlane struct {
	// Address is where everything listens; Ports are its ports.
	Address string
	Ports   Ports
	PKI     pki.Files
	// Data is etcd's folder.
	Data string
	// Kubeconfig is the folder of the components' kubeconfigs.
	Kubeconfig string
	// Services is the range of service addresses (CIDR); Pods that of pod
	// addresses, empty without nodes.
	Services string
	Pods     string
	// Nodes says that real nodes will join.
	Nodes bool
}

// Ports of the control plane.
type Ports struct {
	API      int
	Etcd     int
	EtcdPeer int
}

// Etcd is the address of etcd for clients.
func (c ControlPlane) Etcd() string {
	return net.JoinHostPort(c.Address, strconv.Itoa(c.Ports.Etcd))
}

// Server is the API server's URL where it runs.
func (c ControlPlane) Server() string {
	return "https://" + net.JoinHostPort(c.Address, strconv.Itoa(c.Ports.API))
}

// EtcdArgs is etcd's command line. Nothing is synced to disk: a cluster's data
// ends with it.
func (c ControlPlane) EtcdArgs() []string {
	client := "https://" + c.Etcd()
	peer := "https://" + net.JoinHostPort(c.Address, strconv.Itoa(c.Ports.EtcdPeer))
	return []string{
		"etcd",
		"--name=egkube",
		"--data-dir=" + c.Data,
		"--unsafe-no-fsync",
		"--log-level=warn",
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=egkube=" + peer,
		"--cert-file=" + c.PKI.Cert("etcd"),
		"--key-file=" + c.PKI.Key("etcd"),
		"--trusted-ca-file=" + c.PKI.CA("etcd"),
		"--client-cert-auth",
		"--peer-cert-file=" + c.PKI.Cert("etcd"),
		"--peer-key-file=" + c.PKI.Key("etcd"),
		"--peer-trusted-ca-file=" + c.PKI.CA("etcd"),
		"--peer-client-cert-auth",
	}
}

// APIServerArgs is kube-apiserver's command line.
func (c ControlPlane) APIServerArgs() []string {
	args := []string{
		"kube-apiserver",
		"--bind-address=" + c.Address,
		"--advertise-address=" + c.Address,
		"--secure-port=" + strconv.Itoa(c.Ports.API),
		"--tls-cert-file=" + c.PKI.Cert("apiserver"),
		"--tls-private-key-file=" + c.PKI.Key("apiserver"),
		"--client-ca-file=" + c.PKI.CA("kubernetes"),
		"--etcd-servers=https://" + c.Etcd(),
		"--etcd-cafile=" + c.PKI.CA("etcd"),
		"--etcd-certfile=" + c.PKI.Cert("etcd-client"),
		"--etcd-keyfile=" + c.PKI.Key("etcd-client"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.PKI.Cert("service-account"),
		"--service-account-signing-key-file=" + c.PKI.Key("service-account"),
		"--service-cluster-ip-range=" + c.Services,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--requestheader-client-ca-file=" + c.PKI.CA("front-proxy"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + c.PKI.Cert("front-proxy-client"),
		"--proxy-client-key-file=" + c.PKI.Key("front-proxy-client"),
		"--kubelet-client-certificate=" + c.PKI.Cert("kubelet-client"),
		"--kubelet-client-key=" + c.PKI.Key("kubelet-client"),
		"--kubelet-certificate-authority=" + c.PKI.CA("kubernetes"),
		"--kubelet-preferred-address-types=InternalIP",
		// Service addresses lead nowhere outside the nodes: webhooks and
		// aggregated servers are dialled at their pods.
		"--enable-aggregator-routing=true",
		"--profiling=false",
	}
	if !c.Nodes {
		// A loopback address cannot be an endpoint of the kubernetes Service.
		args = append(args, "--endpoint-reconciler-type=none")
	}
	return args
}

// ControllerManagerArgs is kube-controller-manager's command line. It holds no
// election and serves nothing: it is the only one.
func (c ControlPlane) ControllerManagerArgs() []string {
	return []string{
		"kube-controller-manager",
		"--kubeconfig=" + KubeconfigPath(c.Kubeconfig, "controller-manager"),
		"--leader-elect=false",
		"--secure-port=0",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + c.PKI.Key("service-account"),
		"--root-ca-file=" + c.PKI.CA("kubernetes"),
		"--node-monitor-period=2s",
		"--node-monitor-grace-period=16s",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--profiling=false",
	}
}

// SchedulerArgs is kube-scheduler's command line.
func (c ControlPlane) SchedulerArgs() []string {
	return []string{
		"kube-scheduler",
		"--kubeconfig=" + KubeconfigPath(c.Kubeconfig, "scheduler"),
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--profiling=false",
	}
}
