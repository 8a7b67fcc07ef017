//go:build api

package deployer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// TestCostOfNoChange: to find out that nothing changed takes as many requests for sixty objects as for six, and what
// somebody edited, deleted or added a field to is found all the same.
func TestCostOfNoChange(t *testing.T) {
	t.Parallel()
	for _, n := range []int{6, 60} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			config, kube := apiServer(t)
			space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace}}
			if _, err := kube.CoreV1().Namespaces().Create(t.Context(), space, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			objects := benchObjects(p.namespace, n, "first")
			deploy := func() (changed, requests []string) {
				t.Helper()
				proxy := newFaultProxy(t, config, nil)
				made, err := deployer.DeployObjects(t.Context(), proxy.kubeconfig, p.namespace, "bench", objects)
				if err != nil {
					t.Fatal(err)
				}
				for _, op := range made.Ops {
					if op.Action != event.Unchanged {
						changed = append(changed, string(op.Action)+" "+op.Name)
					}
				}
				return changed, proxy.requests()
			}
			if changed, _ := deploy(); len(changed) != n+2 {
				t.Fatalf("the first deploy: %v", changed)
			}
			const kinds = 3
			changed, requests := deploy()
			if len(changed) > 0 || len(requests) > kinds+5 {
				t.Errorf("%d requests, changed %v:\n%s", len(requests), changed, strings.Join(requests, "\n"))
			}
			maps := kube.CoreV1().ConfigMaps(p.namespace)
			for name, patch := range map[string]string{
				"bench-0001": `{"data": {"text": "edited"}}`,
				"bench-0002": `{"metadata": {"labels": {"app.kubernetes.io/instance": null}}}`,
				"bench-0004": `{"data": {"text": null}}`,
				"bench-0005": `{"data": {"more": "a field that is not ours"}}`,
			} {
				if _, err := maps.Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-edit"}); err != nil {
					t.Fatal(err)
				}
			}
			if err := maps.Delete(context.WithoutCancel(t.Context()), "bench-0003", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			changed, _ = deploy()
			const want = "configured bench-0001, created bench-0002, created bench-0003, configured bench-0004"
			if got := strings.Join(changed, ", "); got != want {
				t.Errorf("after edits: %s; want %s", got, want)
			}
			if again, _ := deploy(); len(again) > 0 {
				t.Errorf("the edits were not mended: %v", again)
			}
		})
	}
}
