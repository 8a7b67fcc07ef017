// Package render turns a project, a cloud profile and an image into Kubernetes objects. It is pure
// and byte-stable: equal input gives equal output.
package render

import (
	"errors"

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
	Files     project.Files
	Report    offline.Report // of the config folder: its ports
	// Salt keeps the Secret's name from telling its content: 16 random bytes, made once by the caller
	// with NewSalt and reused from the live Secret (SaltKey). Empty: a fixed one, for output that
	// contains the Secret anyway.
	Salt    []byte
	Version string // of egk8s
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
	ConsumersDigest string // hex of SHA-256 of the consumers file as mounted; empty: none

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
	// PartOf is the value of app.kubernetes.io/part-of on every object.
	PartOf = "egk8s"
	// ChartName is the value of app.kubernetes.io/name on every object.
	ChartName = "egk8s-gateway"
	// ConfigLabel marks the config objects that are applied beside the record: its value is "config",
	// "secret" or "consumers".
	ConfigLabel = "egk8s.dev/config"
)

// Ports in a pod, whatever the user's file says.
const (
	HTTPPort    = 8080
	HTTPSPort   = 8443
	StatusPort  = 9877
	MetricsPort = 9878
)

// Objects renders the release. Settings that contradict each other are a diag.Problems (exit 3).
func Objects(in Input) (*Rendered, error) { return nil, errors.New("not built yet") }

// YAML is the objects as one stream of documents, byte-stable.
func YAML(objects []*unstructured.Unstructured) ([]byte, error) {
	return nil, errors.New("not built yet")
}

// NewSalt returns 16 random bytes.
func NewSalt() []byte { return nil }

// SelectorLabels are the labels that select the pods of a release; they never change.
func SelectorLabels(name string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": ChartName, "app.kubernetes.io/instance": name}
}

// CommonLabels are the labels on every object of a release.
func CommonLabels(name, version string) map[string]string {
	labels := SelectorLabels(name)
	labels["app.kubernetes.io/version"] = version
	labels["app.kubernetes.io/managed-by"] = "Helm"
	labels["app.kubernetes.io/part-of"] = PartOf
	return labels
}
