//go:build api

package deployer_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// mustBeOneRevision: Helm's records name one current revision, the newest, and none that is not finished.
func (r *round) mustBeOneRevision() {
	r.t.Helper()
	list, err := r.sweep.kube.CoreV1().Secrets(r.namespace).List(r.t.Context(), metav1.ListOptions{LabelSelector: "owner=helm"})
	if err != nil {
		r.t.Fatal(err)
	}
	byStatus := map[string][]string{}
	newest := ""
	for _, s := range list.Items {
		byStatus[s.Labels["status"]] = append(byStatus[s.Labels["status"]], s.Labels["version"])
		if len(s.Labels["version"]) > len(newest) || len(s.Labels["version"]) == len(newest) && s.Labels["version"] > newest {
			newest = s.Labels["version"]
		}
	}
	for status := range byStatus {
		if strings.HasPrefix(status, "pending") {
			r.t.Errorf("a revision is not finished: %v", byStatus)
		}
	}
	if len(byStatus["deployed"]) != 1 || byStatus["deployed"][0] != newest {
		r.t.Errorf("not exactly one current revision, the newest: %v", byStatus)
	}
	lease, err := r.sweep.kube.CoordinationV1().Leases(r.namespace).Get(r.t.Context(), "shop-egk8s-lock", metav1.GetOptions{})
	if !cluster.IsNotFound(err) && (err != nil || time.Since(lease.Spec.RenewTime.Time) < 30*time.Second) {
		r.t.Errorf("the lock is still held: %v, %v", lease.Spec, err)
	}
}

// kinds are all that a deploy may leave in a namespace.
func kinds() []object.Ref {
	return []object.Ref{
		{Version: "v1", Kind: "ConfigMap"},
		{Version: "v1", Kind: "Secret"},
		{Version: "v1", Kind: "Service"},
		{Version: "v1", Kind: "ServiceAccount"},
		{Version: "v1", Kind: "Pod"},
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
		{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"},
		{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
	}
}

// The name of a config Secret, and with it everything that hangs on the config's digest, differs from release to
// release: it is salted.
var (
	salted  = regexp.MustCompile(`shop-(config|secret)-[0-9a-f]{10}`)
	digests = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
)

// snapshot is what there is in the namespace, without what differs between two deploys of the same thing.
func (r *round) snapshot() map[string]any {
	r.t.Helper()
	out := map[string]any{}
	for _, kind := range kinds() {
		list, err := r.client.List(r.t.Context(), cluster.Selection{Kind: kind, Namespace: r.namespace})
		if err != nil {
			r.t.Fatal(err)
		}
		for _, u := range list {
			if value, ok := essence(u); ok {
				text, _ := json.Marshal(value)
				text = digests.ReplaceAll(salted.ReplaceAll(text, []byte("shop-$1-X")), []byte("DIGEST"))
				text = bytes.ReplaceAll(text, []byte(r.namespace), []byte("NAMESPACE"))
				name := salted.ReplaceAllString(object.Of(u).String(), "shop-$1-X")
				for out[name] != nil {
					name += ", another"
				}
				var clean any
				_ = json.Unmarshal(text, &clean)
				out[name] = clean
			}
		}
	}
	return out
}

// essence is what of an object must be the same after every deploy of one project; false: nothing.
func essence(u *unstructured.Unstructured) (any, bool) {
	labels, kind, name := u.GetLabels(), u.GetKind(), u.GetName()
	switch {
	case name == "kube-root-ca.crt", kind == "ServiceAccount" && name == "default", labels["owner"] == "helm",
		kind == "Pod" && labels["egk8s.dev/role"] != "prober":
		return nil, false
	case kind == "Secret" && name == "shop-egk8s":
		return memory(u), true
	case salted.MatchString(name):
		return kind, true
	}
	annotations := u.GetAnnotations()
	delete(annotations, "deployment.kubernetes.io/revision")
	var owners []string
	for _, o := range u.GetOwnerReferences() {
		owners = append(owners, o.Kind+"/"+o.Name)
	}
	content := u.DeepCopy().Object
	for _, key := range []string{"metadata", "status", "apiVersion", "kind"} {
		delete(content, key)
	}
	for _, field := range []string{"clusterIP", "clusterIPs"} {
		unstructured.RemoveNestedField(content, "spec", field)
	}
	return map[string]any{"labels": labels, "annotations": annotations, "owners": owners, "content": content}, true
}

// memory is what egk8s remembers, without ids and numbers that count runs.
func memory(u *unstructured.Unstructured) any {
	text, _, _ := unstructured.NestedString(u.Object, "data", "state")
	raw, _ := base64.StdEncoding.DecodeString(text)
	state := map[string]any{}
	if err := json.Unmarshal(raw, &state); err != nil {
		return err.Error()
	}
	delete(state, "revision")
	entries, _ := state["inventory"].([]any)
	for _, e := range entries {
		if entry, ok := e.(map[string]any); ok {
			delete(entry, "uid")
			delete(entry, "owned")
			entry["sent"] = entry["sent"] != "" // a hash of what also names the namespace
		}
	}
	return state
}
