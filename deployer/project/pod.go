package project

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// PodCADir is where the bundle of spec.trustedCAs is in a pod.
const PodCADir = "/etc/egk8s/ca"

// Pod is what a cluster's rules and habits ask of the pods, beyond what egk8s writes.
type Pod struct {
	Labels            map[string]string `json:"labels,omitempty"`            // of the pods only
	Annotations       map[string]string `json:"annotations,omitempty"`       // of the pods only
	NodeSelector      map[string]string `json:"nodeSelector,omitempty"`      // labels that a node must have
	Tolerations       []map[string]any  `json:"tolerations,omitempty"`       // as in a pod's spec
	Affinity          map[string]any    `json:"affinity,omitempty"`          // as in a pod's spec
	PriorityClassName string            `json:"priorityClassName,omitempty"` // name of a PriorityClass
	Volumes           []Volume          `json:"volumes,omitempty"`           // further volumes in the gateway's container
}

// Volume is one more volume of the pods.
type Volume struct {
	Name      string         `json:"name"`
	MountPath string         `json:"mountPath"`          // absolute
	ReadOnly  bool           `json:"readOnly,omitempty"` // mount it so that nothing can be written
	Source    map[string]any `json:"source"`             // as in a pod's volumes: {configMap: {name: x}}, {emptyDir: {}}, …
}

// CABundle are certificates of authorities in PEM form, trusted beside the public ones; Secret or ConfigMap, with Key.
type CABundle struct {
	Secret    string `json:"secret,omitempty"`
	ConfigMap string `json:"configMap,omitempty"`
	Key       string `json:"key,omitempty"` // default ca.crt
}

// NetworkPolicy allows who may reach the pods; all else is refused. The gateway's own ports are filled in.
type NetworkPolicy struct {
	Enabled bool             `json:"enabled,omitempty"`
	From    []map[string]any `json:"from,omitempty"`   // peers that may reach http and https; empty: everybody
	Egress  []map[string]any `json:"egress,omitempty"` // rules as in a NetworkPolicy; empty: everything is allowed
}

// pod checks what goes into the pods as it is.
func (c *checker) pod() {
	spec := c.p.Spec
	c.labels("spec.labels", spec.Labels)
	c.labels("spec.pod.labels", spec.Pod.Labels)
	c.labels("spec.pod.nodeSelector", spec.Pod.NodeSelector)
	c.annotations("spec.pod.annotations", spec.Pod.Annotations)
	for i, t := range spec.Pod.Tolerations {
		c.strict(fmt.Sprintf("spec.pod.tolerations.%d", i), t, &corev1.Toleration{}, "a toleration")
	}
	if spec.Pod.Affinity != nil {
		c.strict("spec.pod.affinity", spec.Pod.Affinity, &corev1.Affinity{}, "an affinity")
	}
	if name := spec.Pod.PriorityClassName; name != "" && !objectName.MatchString(name) {
		c.fail("spec.pod.priorityClassName", "name", "", "%q cannot be the name of a PriorityClass", name)
	}
	c.volumes()
	c.trustedCAs()
	c.networkPolicy()
}

func (c *checker) volumes() {
	names, paths := []string{"config", "consumers", "trusted-cas"}, []string{}
	for i, v := range c.p.Spec.Pod.Volumes {
		at := fmt.Sprintf("spec.pod.volumes.%d", i)
		switch {
		case !labelName.MatchString(v.Name) || len(v.Name) > 63:
			c.fail(at, "volume", "lower-case letters, digits and -", "%q cannot be the name of a volume", v.Name)
		case slices.Contains(names, v.Name) || strings.HasPrefix(v.Name, "tls-"):
			c.fail(at+".name", "volume", "choose another name", "the name %q is taken", v.Name)
		}
		switch clean := path.Clean(v.MountPath); {
		case !path.IsAbs(v.MountPath) || clean == "/":
			c.fail(at, "volume", "as mountPath: /var/data", "%q cannot be a mount path", v.MountPath)
		case clean == "/etc/egk8s" || strings.HasPrefix(clean, "/etc/egk8s/"):
			c.fail(at+".mountPath", "volume", "files that the config names are given by spec.files", "%s belongs to egk8s", clean)
		case slices.Contains(paths, clean):
			c.fail(at+".mountPath", "volume", "choose another path", "two volumes would be mounted at %s", clean)
		default:
			paths = append(paths, clean)
		}
		names = append(names, v.Name)
		if len(v.Source) != 1 {
			c.fail(at, "volume", "as source: {configMap: {name: x}}", "the volume %q needs exactly one source", v.Name)
			continue
		}
		c.strict(at+".source", v.Source, &corev1.VolumeSource{}, "a volume's source")
	}
}

func (c *checker) trustedCAs() {
	ca := c.p.Spec.TrustedCAs
	switch {
	case ca == (CABundle{}):
	case (ca.Secret == "") == (ca.ConfigMap == ""):
		c.fail("spec.trustedCAs", "trusted-cas", "as {configMap: corp-ca, key: ca.crt}", "trustedCAs needs a secret or a configMap")
	case !objectName.MatchString(ca.Secret + ca.ConfigMap):
		c.fail("spec.trustedCAs", "name", "", "%q cannot be the name of an object", ca.Secret+ca.ConfigMap)
	}
}

func (c *checker) networkPolicy() {
	n := c.p.Spec.NetworkPolicy
	if !n.Enabled && len(n.From)+len(n.Egress) > 0 {
		c.fail("spec.networkPolicy", "network-policy", "add enabled: true", "networkPolicy has rules and is not enabled")
	}
	for i, peer := range n.From {
		c.strict(fmt.Sprintf("spec.networkPolicy.from.%d", i), peer, &networkingv1.NetworkPolicyPeer{}, "a peer of a NetworkPolicy")
	}
	for i, rule := range n.Egress {
		c.strict(fmt.Sprintf("spec.networkPolicy.egress.%d", i), rule, &networkingv1.NetworkPolicyEgressRule{}, "an egress rule of a NetworkPolicy")
	}
}

// strict checks that a value has the form that Kubernetes wants, so that no field is silently dropped.
func (c *checker) strict(at string, value, into any, what string) {
	text, err := json.Marshal(value)
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.DisallowUnknownFields()
		err = dec.Decode(into)
	}
	if err != nil {
		c.fail(at, "pod-field", "its fields are those of the Kubernetes API", "this is not %s: %s", what, strings.TrimPrefix(err.Error(), "json: "))
	}
}

var (
	labelKey  = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	labelText = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
)

// ownLabels are set by egk8s and may not be changed.
func ownLabel(key string) bool {
	return strings.HasPrefix(key, "app.kubernetes.io/") || strings.HasPrefix(key, "egk8s.dev/") || key == "pod-template-hash"
}

func (c *checker) labels(at string, labels map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		switch {
		case !labelKey.MatchString(key):
			c.fail(at+"."+key, "label", "", "%q cannot be the key of a label", key)
		case !labelText.MatchString(labels[key]):
			c.fail(at+"."+key, "label", "at most 63 letters, digits, - _ and .", "%q cannot be the value of a label", labels[key])
		case ownLabel(key) && at != "spec.pod.nodeSelector":
			c.fail(at+"."+key, "label", "choose another key", "the label %s is set by egk8s", key)
		}
	}
}

func (c *checker) annotations(at string, annotations map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if !labelKey.MatchString(key) {
			c.fail(at+"."+key, "annotation", "", "%q cannot be the key of an annotation", key)
		}
		if strings.HasPrefix(key, "meta.helm.sh/") || strings.HasPrefix(key, "egk8s.dev/") {
			c.fail(at+"."+key, "annotation", "choose another key", "the annotation %s is set by egk8s", key)
		}
	}
}
