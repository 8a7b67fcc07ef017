// Package render turns a project, a cloud profile and an image into Kubernetes objects. It is pure
// and byte-stable: equal input gives equal output.
package render

import (
	"helm.sh/helm/v3/pkg/chart"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/offline"
)

// Input is everything that decides what the objects are.
type Input struct {
	Project   *project.Project
	Namespace string // where the release lives; every object carries it
	Profile   cloud.Profile
	Image     Image
	Files     project.Files   // of Project.Read
	Report    *offline.Report // of Project.Read: the ports of the config
	// Salt keeps the Secret's name from telling its content: 16 random bytes, made once by the caller
	// with NewSalt and reused from the live Secret (SaltKey). Empty: a fixed one, for output that
	// contains the Secret anyway.
	Salt    []byte
	Version string // of egk8s
	Overlay string // folder of the kustomize overlay; empty: the profile's name
}

// Image is the image that the pods run.
type Image struct {
	Reference  string // repository:tag, repository:tag@digest or repository@digest
	PullPolicy string // empty: the profile's
}

// Rendered are the objects and what names them.
type Rendered struct {
	// Objects are the chart's: those of the release record, in the order in which to apply them.
	Objects []*unstructured.Unstructured
	// Config are the immutable config objects and the consumers' Secret, applied beside the record
	// before Objects. Their owner is set by who applies them.
	Config []*unstructured.Unstructured
	Names  Names
	Ports  Ports

	Manifest        []byte // egk8s.manifest
	Digest          string // of the manifest: hex of SHA-256, EGK8S_CONFIG_DIGEST
	ConsumersDigest string // what a replica shows once it has loaded the consumers; empty: none

	// Chart, Values and YAML are what Helm's record of the release holds.
	Chart  *chart.Chart
	Values map[string]any
	YAML   string
}

// Names are the names of the objects.
type Names struct {
	ServiceAccount  string // NAME
	Service         string // NAME
	Deployment      string // NAME
	ConfigMap       string // NAME-config-DIGEST10
	Secret          string // NAME-secret-HMAC10; empty: no file is secret
	ConsumersSecret string // NAME-consumers; empty: no consumers
	RedisSecret     string // NAME-redis, with a password that egk8s makes; empty: none
}

// Ports are the ports of the Service; 0: the file has no such listener.
type Ports struct {
	HTTP, HTTPS int
	Admin       int // of the admin listener on loopback in the pod
}

// Keys and labels that others need to find what render made.
const (
	// SaltKey is the key of the Secret's data that holds Salt.
	SaltKey = "egk8s.salt"
	// ContainerName is the name of the gateway's container.
	ContainerName = "gateway"
	// DigestVariable is the variable that tells the gateway which configuration it must load.
	DigestVariable = "EGK8S_CONFIG_DIGEST"
	// PartOf is the value of app.kubernetes.io/part-of on every object.
	PartOf = "egk8s"
	// ChartName is the value of app.kubernetes.io/name on every object.
	ChartName = "egk8s-gateway"
	// ConfigLabel marks the config objects that are applied beside the record; its value is one of the roles.
	ConfigLabel   = "egk8s.dev/config"
	RoleConfig    = "config"
	RoleSecret    = "secret"
	RoleConsumers = "consumers"
	RoleRedis     = "redis"
)

// Ports in a pod, whatever the user's file says.
const (
	HTTPPort    = project.PodHTTPPort
	HTTPSPort   = project.PodHTTPSPort
	StatusPort  = project.PodStatusPort
	MetricsPort = project.PodMetricsPort
)

// Objects renders the release. Settings that cannot be rendered are a diag.Problems (exit 3).
func Objects(in Input) (*Rendered, error) {
	name := in.Project.Name
	r := &Rendered{
		Names:           Names{ServiceAccount: name, Service: name, Deployment: name},
		Ports:           ports(in),
		ConsumersDigest: in.Files.ConsumersDigest,
	}
	if err := r.makeConfig(in); err != nil {
		return nil, err
	}
	if err := r.renderChart(in); err != nil {
		return nil, err
	}
	for _, o := range append(append([]*unstructured.Unstructured{}, r.Config...), r.Objects...) {
		mark(o, in)
	}
	text, err := YAML(r.Objects)
	if err != nil {
		return nil, err
	}
	r.YAML = string(text)
	return r, nil
}

func ports(in Input) Ports {
	spec := in.Project.Spec.Service
	p := Ports{Admin: in.Project.AdminPort(in.Report)}
	if in.Report == nil {
		return p
	}
	if in.Report.HTTP != nil {
		p.HTTP = first(spec.Port, in.Report.HTTP.Port)
	}
	if in.Report.HTTPS != nil {
		p.HTTPS = first(spec.HTTPSPort, in.Report.HTTPS.Port)
	}
	return p
}

func first(numbers ...int) int {
	for _, n := range numbers {
		if n != 0 {
			return n
		}
	}
	return 0
}

// mark gives an object what Helm looks for before it takes an object for its own.
func mark(o *unstructured.Unstructured, in Input) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations["meta.helm.sh/release-name"] = in.Project.Name
	annotations["meta.helm.sh/release-namespace"] = in.Namespace
	o.SetAnnotations(annotations)
	o.SetNamespace(in.Namespace)
}

// SelectorLabels are the labels that select the pods of a release; they never change.
func SelectorLabels(name string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": ChartName, "app.kubernetes.io/instance": name}
}

// CommonLabels are the labels on every object of a release.
func CommonLabels(name, version string) map[string]string {
	labels := SelectorLabels(name)
	labels["app.kubernetes.io/version"] = labelValue(version)
	labels["app.kubernetes.io/managed-by"] = "Helm"
	labels["app.kubernetes.io/part-of"] = PartOf
	return labels
}
