//go:build api

package render_test

import (
	"context"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// TestAPIServerAdmits lets a real API server judge the objects of every cloud, and the pods in a
// namespace that enforces PodSecurity restricted.
func TestAPIServerAdmits(t *testing.T) {
	client, err := cluster.Connect(cluster.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	restricted := map[string]any{}
	for _, mode := range []string{"enforce", "warn"} {
		restricted["pod-security.kubernetes.io/"+mode] = "restricted"
	}
	const namespace = "render-admits"
	if _, err := client.Apply(ctx, newObject("Namespace", "", namespace, restricted), cluster.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Delete(context.WithoutCancel(ctx), object.Ref{Version: "v1", Kind: "Namespace", Name: namespace}, "")
	})
	// a pod is judged after its ServiceAccount was found
	if _, err := client.Apply(ctx, newObject("ServiceAccount", namespace, "shop", nil), cluster.ApplyOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	profiles, _ := cloud.Builtin()
	for _, name := range profiles.Names() {
		in := newTestInput(t, name)
		in.Namespace = namespace
		in.Profile.StatusService.Enabled = true
		r := mustRender(t, in)
		pod := newObject("Pod", namespace, "shop-"+name, nil)
		pod.Object["spec"] = template(t, r).(map[string]any)["spec"]
		for _, o := range append(append(slices.Clone(r.Config), r.Objects...), pod) {
			if _, err := client.Apply(ctx, o, cluster.ApplyOptions{DryRun: true, Force: true}); err != nil {
				t.Errorf("%s: %s/%s: %v", name, o.GetKind(), o.GetName(), err)
			}
		}
	}
	if warnings := client.Warnings(); len(warnings) > 0 {
		t.Errorf("the API server warns: %q", warnings)
	}
	// the test can fail: a pod that may do more is refused
	bad := newObject("Pod", namespace, "bad", nil)
	bad.Object["spec"] = map[string]any{"containers": []any{map[string]any{"name": "a", "image": "a:1"}}}
	if _, err := client.Apply(ctx, bad, cluster.ApplyOptions{DryRun: true}); err == nil {
		t.Error("the namespace does not enforce PodSecurity restricted")
	}
}

func newObject(kind, namespace, name string, labels map[string]any) *unstructured.Unstructured {
	metadata := map[string]any{"name": name, "labels": labels}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind, "metadata": metadata}}
}
