// Package cloud says what a cloud needs differently: profiles as data, merged and chosen by facts.
// It is pure: it reads no cluster and no clock.
package cloud

import "strings"

// Delivery is how the image reaches the nodes.
type Delivery string

// The deliveries.
const (
	Push     Delivery = "push"      // to a registry that the nodes can pull from
	KindLoad Delivery = "kind-load" // an archive into every node of a kind cluster
	None     Delivery = "none"      // the image is there already
)

// Reach is how a client outside the cluster reaches the gateway with this profile.
type Reach string

// The ways in.
const (
	LoadBalancer Reach = "load-balancer" // the Service gets an address of its own
	NodePort     Reach = "node-port"     // a port of every node's address
	PortForward  Reach = "port-forward"  // only through the API server
)

// Layer is what a profile speaks of: where the machines stand, what runs Kubernetes on them, or both.
type Layer string

// The layers.
const (
	Base           Layer = "base"           // any cluster; never found by facts
	Infrastructure Layer = "infrastructure" // how traffic comes in and which credentials there are
	Distribution   Layer = "distribution"   // pods, admission, delivery of the image
	Both           Layer = "both"
)

// has tells whether a profile of this layer speaks of that one.
func (l Layer) has(axis Layer) bool { return l == axis || l == Both }

// Profile is what one cloud needs (templates/clouds/NAME.yaml), merged with what it extends.
type Profile struct {
	Name          string        `json:"-"`
	Layer         Layer         `json:"layer"`
	Title         string        `json:"title"`
	MinKubernetes string        `json:"minKubernetes"` // "1.29"
	Detect        []Rule        `json:"detect,omitempty"`
	Image         Image         `json:"image"`
	Service       Service       `json:"service"`
	StatusService StatusService `json:"statusService"`
	Reach         Reach         `json:"reach"`
	Spread        []string      `json:"spread,omitempty"`  // topology keys, spread over softly
	Missing       []string      `json:"missing,omitempty"` // what this profile cannot do yet and what would make it possible, for the user
	Hints         []Hint        `json:"hints,omitempty"`
	Triton        *Triton       `json:"triton,omitempty"` // load balancers by CloudAPI; nil: not here

	// Variants are kinds of this cloud by name. They are chosen on resolving and never inherited.
	Variants map[string]Variant `json:"variants,omitempty"`
}

// Variant is what one kind of a cloud needs differently. One without rules is taken only when it is named; one whose rule
// is otherwise: true when the API server was asked and no other fits.
type Variant struct{ Profile }

// Triton is what stands before the node ports on Triton DataCenter.
type Triton struct {
	Image       string   `json:"image"`       // of a load balancer instance
	Instances   int      `json:"instances"`   // how many
	MaxBackends int      `json:"maxBackends"` // nodes that one leads to, 32 to 1024
	Settle      string   `json:"settle"`      // how long names and load balancers take to learn of a change
	Controllers []string `json:"controllers"` // NAMESPACE/NAME of Deployments that answer a LoadBalancer Service
	Service     Service  `json:"service"`     // the Service that they answer
}

// Image is how a cloud gets the gateway image.
type Image struct {
	Delivery   Delivery `json:"delivery"`
	PullPolicy string   `json:"pullPolicy"`
	Example    string   `json:"example,omitempty"` // of a repository, for a message that asks for one
}

// Service is the gateway's Service.
type Service struct {
	Type                  string            `json:"type"`
	LoadBalancerClass     string            `json:"loadBalancerClass,omitempty"` // immutable in the cluster
	ExternalTrafficPolicy string            `json:"externalTrafficPolicy,omitempty"`
	Annotations           map[string]string `json:"annotations,omitempty"`
}

// StatusService is the Service NAME-status, for a cloud that must probe readiness from outside.
type StatusService struct {
	Enabled     bool              `json:"enabled"`
	Type        string            `json:"type,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Hint is advice for a text that a cluster said.
type Hint struct {
	Match string `json:"match"` // regular expression over events and messages
	Say   string `json:"say"`
}

// Facts are what is known of a cluster. Online facts that could not be read stay empty and lower
// the certainty only.
type Facts struct {
	Context     string   `json:"context,omitempty"` // kubeconfig: name of the context
	User        string   `json:"user,omitempty"`    // kubeconfig: name of the user entry
	ExecCommand string   `json:"execCommand,omitempty"`
	Server      string   `json:"server,omitempty"`     // URL of the API server
	GitVersion  string   `json:"gitVersion,omitempty"` // of the API server: v1.35.2-gke.1842000
	Nodes       []Node   `json:"nodes,omitempty"`
	APIGroups   []string `json:"apiGroups,omitempty"`
	// Registry is what kube-public/local-registry-hosting announces; nil: nothing.
	Registry *Registry `json:"registry,omitempty"`
}

// Node is what is known of one node.
type Node struct {
	Name       string            `json:"name"`
	ProviderID string            `json:"providerID,omitempty"`
	Platform   string            `json:"platform,omitempty"` // linux/amd64; empty: not known yet
	Ready      bool              `json:"ready"`
	Addresses  []string          `json:"addresses,omitempty"` // internal and external ones
	Labels     map[string]string `json:"labels,omitempty"`
}

// Registry is a local registry as KEP-1755 announces it.
type Registry struct {
	Host            string `json:"host"`                               // as seen from here: localhost:5001
	HostFromRuntime string `json:"hostFromContainerRuntime,omitempty"` // as the nodes see it; empty: Host
}

// KindCluster is the cluster's name for the kind program: what its nodes say, else the context's name
// without "kind-", else kind's default. A context can be renamed, a node cannot.
func (f Facts) KindCluster() string {
	for _, node := range f.Nodes {
		id, ok := strings.CutPrefix(node.ProviderID, "kind://") // kind://docker/CLUSTER/NODE
		if parts := strings.Split(id, "/"); ok && len(parts) == 3 && parts[1] != "" {
			return parts[1]
		}
	}
	if name, ok := strings.CutPrefix(f.Context, "kind-"); ok && name != "" {
		return name
	}
	return "kind"
}
