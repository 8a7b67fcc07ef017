// Package project reads egk8s.yaml and the gateway's files beside it: what a user wants, with positions and defaults.
package project

import "egk8s.dev/egk8s/gateway/diag"

// Project is one egk8s.yaml with one cloud's and one environment's overrides applied.
type Project struct {
	Name        string // metadata.name: the release's name
	Namespace   string // of the environment, the cloud, else metadata.namespace; empty: the context's
	Environment string // empty: none chosen
	Cloud       string // of the environment, else the file's; empty: detect
	Context     string // of the environment, else the cloud's; empty: the current one
	Wave        int    // of the environment, else the cloud's, among several targets; 0: not declared
	Protected   bool   // a deploy needs an explicit context

	File string // path of egk8s.yaml as given
	Dir  string // its folder; all relative paths resolve against it
	Spec Spec

	// Position finds where a value of egk8s.yaml stands: Position("spec.replicas"). A value that an
	// override set is found where the override stands; one that is not written gives the file alone.
	Position func(path string) diag.Position

	document *document
}

// Spec is the spec of egk8s.yaml (docs/reference/egk8s-yaml.md). An entry of clouds and of
// environments has the same fields and overrides it: maps merge, lists replace, null removes.
type Spec struct {
	Image          Image                `json:"image,omitzero"`
	Config         Config               `json:"config,omitzero"`
	Consumers      string               `json:"consumers,omitempty"` // path of consumers.yml; empty: none
	Upstreams      map[string]string    `json:"upstreams,omitempty"` // service endpoint name -> URL
	Env            map[string]string    `json:"env,omitempty"`
	SecretEnv      map[string]SecretKey `json:"secretEnv,omitempty"`
	Files          []SecretFile         `json:"files,omitempty"`
	TLS            map[string]TLSSecret `json:"tls,omitempty"`
	TrustedProxies []string             `json:"trustedProxies,omitempty"`
	Probes         []Probe              `json:"probes,omitempty"`
	Store          Store                `json:"store,omitzero" hint:"write file, memory, or {redis: {mode: internal}}"`
	Replicas       Replicas             `json:"replicas,omitzero" hint:"write a number, or {min: 2, max: 10, cpu: 60}"`
	Resources      Resources            `json:"resources,omitzero"`
	Service        Service              `json:"service,omitzero"`
	Labels         map[string]string    `json:"labels,omitempty"` // on every object and on the pods
	Pod            Pod                  `json:"pod,omitzero"`
	TrustedCAs     CABundle             `json:"trustedCAs,omitzero"`
	NetworkPolicy  NetworkPolicy        `json:"networkPolicy,omitzero" hint:"write networkPolicy: {enabled: true}"`
	Drain          Drain                `json:"drain,omitzero"`
	LogLevel       string               `json:"logLevel,omitempty"`
	Triton         Triton               `json:"triton,omitzero"`
}

// Replicas is how many gateways run: a fixed number, or what a HorizontalPodAutoscaler chooses.
type Replicas struct {
	Fixed int `json:"-" short:"true"`
	// Min and Max bound what the autoscaler chooses; Max 0: there is none. CPU is the use in percent of the request
	// that it aims at.
	Min int `json:"min,omitempty"`
	Max int `json:"max,omitempty"`
	CPU int `json:"cpu,omitempty"`
}

// Autoscaled tells whether a HorizontalPodAutoscaler chooses the number.
func (r Replicas) Autoscaled() bool { return r.Max > 0 || r.Min > 0 || r.CPU > 0 }

// Most is how many may run.
func (r Replicas) Most() int { return max(r.Fixed, r.Max) }

// Image is where the gateway image goes; the image itself is carried by egk8s.
type Image struct {
	// Repository is where push sends it: registry.example.com/team/gateway. ${NAME} and
	// ${NAME:-default} are taken from the environment of egk8s, so that a pipeline can say where.
	Repository  string   `json:"repository,omitempty"`
	PullSecrets []string `json:"pullSecrets,omitempty"`
}

// Config is the folder with Express Gateway's files.
type Config struct {
	Dir       string   `json:"dir,omitempty"`       // default "config"
	Sensitive []string `json:"sensitive,omitempty"` // globs of files that go into the Secret; system.config.yml always does
}

// SecretKey names one key of a Secret.
type SecretKey struct {
	Secret string `json:"secret"`
	Key    string `json:"key"`
}

// SecretFile is a file that the config names, taken from a Secret that is in the cluster.
type SecretFile struct {
	Path   string `json:"path"` // relative to the config folder
	Secret string `json:"secret"`
	Key    string `json:"key"`
}

// TLSSecret is a kubernetes.io/tls Secret used as an https.tls entry.
type TLSSecret struct {
	Secret string `json:"secret"`
}

// Probe is a request that decides whether a deploy is good.
type Probe struct {
	Path    string            `json:"path"`
	Method  string            `json:"method,omitempty"` // GET
	Host    string            `json:"host,omitempty"`
	Headers map[string]string `json:"headers,omitempty"` // ${NAME} from the environment of egk8s: Project.ExpandProbes
	Expect  int               `json:"expect"`
}

// Resources are the container's requests and limits, as Kubernetes quantities.
type Resources struct {
	Requests map[string]string `json:"requests,omitempty"`
	Limits   map[string]string `json:"limits,omitempty"`
}

// Service changes the Service that the cloud profile asks for.
type Service struct {
	Type        string            `json:"type,omitempty"`
	Port        int               `json:"port,omitempty"`      // of http; 0: the file's
	HTTPSPort   int               `json:"httpsPort,omitempty"` // of https; 0: the file's
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Drain is how a pod leaves: it serves on for Delay seconds, then finishes requests for at most Timeout seconds.
type Drain struct {
	Delay   int `json:"delay,omitempty"`   // 5
	Timeout int `json:"timeout,omitempty"` // 30
}
