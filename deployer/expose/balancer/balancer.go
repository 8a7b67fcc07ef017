// Package balancer puts Triton's load balancers in front of the node ports of a release: instances of the image
// cloud-load-balancer, which find the nodes by a DNS name (CNS), or that name alone. It finds what it made again by a
// tag, changes only that, and removes only that.
package balancer

import (
	"time"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Way is how traffic comes in.
type Way string

// The ways that need CloudAPI.
const (
	Instances Way = "triton-clb"          // load balancer instances, which lead to the node ports
	Names     Way = "triton-cns-nodeport" // a DNS name of the nodes themselves
)

// Tags of what a release has. A release is known by its id alone: names repeat between clusters.
const (
	ReleaseTag = "egk8s.release" // its name, for people
	IDTag      = "egk8s.id"
)

// Metadata of a load balancer instance (Moirai).
const (
	metaOn          = "cloud.tritoncompute:loadbalancer"
	metaPortmap     = "cloud.tritoncompute:portmap"
	metaMax         = "cloud.tritoncompute:max_rs"
	metaCertificate = "cloud.tritoncompute:certificate_name"
)

// Wanted is what should stand in front of a release.
type Wanted struct {
	Release string
	ID      string   // of the release, unlike any other's
	Label   string   // DNS label of the service: egk8s-shop
	Former  []string // labels that earlier deploys gave, to be taken away
	Way     Way      // empty: nothing

	Image        string // name, or id
	Package      string // name, or id
	Networks     []string
	Internal     bool // no public network, unless Networks names one
	Count        int
	MaxBackends  int
	Certificates []string // host names; the first is the certificate's common name
	Mode         string   // http, or tcp
	NodeTag      string   // KEY=VALUE that all nodes have; empty: k8s.cluster if they have it, else each node by its id

	Nodes []Node
	Ports Ports
	Ready string // path that answers 200 on Ports.Status
}

// Node is a node of the cluster.
type Node struct {
	Name       string
	ProviderID string // triton:///DC/UUID where something writes it
	Addresses  []string
}

// Ports are the node ports of the release's Services; 0: there is none, or it is not known yet.
type Ports struct {
	HTTP, HTTPS, Status int
}

// The ports at which a load balancer listens.
const (
	listenHTTP  = 80
	listenHTTPS = 443
)

// nodesSuffix makes the label of the nodes from that of the release.
const nodesSuffix = "-n"

// nodesLabel is the DNS label by which instances find the nodes.
func (w *Wanted) nodesLabel() string {
	if w.Way == Names {
		return w.Label
	}
	return w.Label + nodesSuffix
}

// ports are the node ports that must be open.
func (w *Wanted) ports() []int {
	var out []int
	for _, p := range []int{w.Ports.HTTP, w.Ports.HTTPS, w.Ports.Status} {
		if p != 0 {
			out = append(out, p)
		}
	}
	return out
}

// Site is what there is: the account, and what of it belongs to the cluster and to the release.
type Site struct {
	Account  triton.Account
	Image    *triton.Image   // the newest of that name; nil: there is none
	Package  *triton.Package // nil: there is none of that name
	Networks []triton.Network
	// Nodes are the machines behind the cluster's nodes; Lost are the names of nodes that are none.
	Nodes []triton.Machine
	Lost  []string
	Ours  []triton.Machine // load balancer instances of the release, by name
	Rules []triton.Rule    // of the account
	// Shared is the network in which all nodes are; nil: there is none.
	Shared *triton.Network
	// Chosen are the networks of the instances, in order.
	Chosen []triton.Network

	all      []triton.Machine
	packages []triton.Package
	images   []triton.Image
	skew     time.Duration
}
