//go:build api

package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/apply"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
)

// newTestClient connects to the API server that KUBECONFIG names; without one the test fails.
func newTestClient(t *testing.T) *cluster.Client {
	t.Helper()
	if os.Getenv("KUBECONFIG") == "" {
		t.Fatal("KUBECONFIG names no API server: run make test-api")
	}
	c, err := cluster.Connect(cluster.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newTestNamespace makes a namespace that lives as long as the test.
func newTestNamespace(t *testing.T, c *cluster.Client) string {
	t.Helper()
	u, err := c.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"generateName": "t-"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Delete(context.Background(), object.Namespace(u.GetName()), "") })
	return u.GetName()
}

func configMap(namespace string, data map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": data,
		"metadata": map[string]any{"name": "c", "namespace": namespace, "labels": map[string]any{"app.kubernetes.io/instance": "x"}},
	}}
}

// live reads what a plan knows of the test's ConfigMap.
func live(t *testing.T, c *cluster.Client, namespace string) plan.Live {
	t.Helper()
	list, err := c.ListMetadata(t.Context(), cluster.Selection{
		Kind: object.Ref{Version: "v1", Kind: "ConfigMap"}, Namespace: namespace, Labels: "app.kubernetes.io/instance=x",
	})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d objects, %v", len(list), err)
	}
	return plan.LiveOf(list[0])
}

// TestFacts: a real API server says its version; what it announces is read.
func TestFacts(t *testing.T) {
	t.Parallel()
	f, err := newTestClient(t).Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(f.GitVersion, "v") || len(f.APIGroups) == 0 {
		t.Errorf("%+v", f)
	}
}

// TestOwnedFieldsTellDrift: the hash of our fields from an apply is that of a metadata list; it stays
// when others add fields or apply the same value, and moves when they change or remove one of ours.
func TestOwnedFieldsTellDrift(t *testing.T) {
	t.Parallel()
	c := newTestClient(t)
	namespace := newTestNamespace(t, c)
	applied, err := c.Apply(t.Context(), configMap(namespace, map[string]any{"a": "1", "b": "2"}), cluster.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before := plan.OwnedHash(applied.GetManagedFields())
	if l := live(t, c, namespace); l.Owned != before || before == "" || l.UID != string(applied.GetUID()) {
		t.Fatalf("applied %q, listed %+v", before, l)
	}
	change := func(data map[string]any) string {
		u, err := c.Get(t.Context(), object.Of(applied))
		if err != nil {
			t.Fatal(err)
		}
		u.Object["data"] = data
		// Written by another program: the field manager is what tells who it was.
		other, err := cluster.Connect(cluster.Config{UserAgent: "somebody"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Update(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		return live(t, c, namespace).Owned
	}
	if got := change(map[string]any{"a": "1", "b": "2", "foreign": "x"}); got != before {
		t.Error("a foreign key looks like drift")
	}
	if got := change(map[string]any{"a": "changed", "b": "2"}); got == before {
		t.Error("a changed value of ours does not look like drift")
	}
}

// TestRefusals: the API server's refusals become errors that name the field and its owner.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := newTestClient(t)
	namespace := newTestNamespace(t, c)
	u := configMap(namespace, map[string]any{"a": "1"})
	if _, err := c.Create(t.Context(), u); err != nil { // an Update by our own name: another entry than our applies
		t.Fatal(err)
	}
	u = configMap(namespace, map[string]any{"a": "2"})
	_, err := c.Apply(t.Context(), u, cluster.ApplyOptions{DryRun: true})
	var conflict *apply.ConflictError
	if err := apply.Explain(object.Of(u), err); !errors.As(err, &conflict) || conflict.Conflicts[0].Field != "data.a" {
		t.Errorf("got %v", err)
	}
	u.Object["immutable"] = true
	if _, err := c.Apply(t.Context(), u, cluster.ApplyOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	u = configMap(namespace, map[string]any{"a": "3"})
	u.Object["immutable"] = true
	_, err = c.Apply(t.Context(), u, cluster.ApplyOptions{Force: true})
	var immutable *apply.ImmutableError
	if err := apply.Explain(object.Of(u), err); !errors.As(err, &immutable) || immutable.Field != "data" {
		t.Errorf("got %v", err)
	}
	u.SetName("Not A Name")
	_, err = c.Apply(t.Context(), u, cluster.ApplyOptions{})
	var refused *apply.RefusedError
	if err := apply.Explain(object.Of(u), err); !errors.As(err, &refused) || refused.Reason != "not valid" {
		t.Errorf("got %v", err)
	}
	u.Object["kind"], u.Object["apiVersion"] = "Unicorn", "example.com/v1"
	var kind *cluster.NoKindError
	if _, err = c.Apply(t.Context(), u, cluster.ApplyOptions{}); !errors.As(err, &kind) {
		t.Errorf("got %v", err)
	}
}

// TestTakeOver: what another manager owned by update is ours afterwards, so that a key we leave out is removed.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	c := newTestClient(t)
	namespace := newTestNamespace(t, c)
	created, err := c.Create(t.Context(), configMap(namespace, map[string]any{"a": "1", "gone": "x"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.TakeOver(t.Context(), created, []string{cluster.FieldManager}); err != nil {
		t.Fatal(err)
	}
	got, err := c.Apply(t.Context(), configMap(namespace, map[string]any{"a": "2"}), cluster.ApplyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if data := fmt.Sprint(got.Object["data"]); data != "map[a:2]" {
		t.Errorf("data is %s", data)
	}
}

// TestForbidden: want of rights is told by verb, resource and namespace.
func TestForbidden(t *testing.T) {
	t.Parallel()
	namespace := newTestNamespace(t, newTestClient(t))
	nobody, err := cluster.Connect(cluster.Config{As: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	var forbidden *cluster.ForbiddenError
	_, err = nobody.Apply(t.Context(), configMap(namespace, nil), cluster.ApplyOptions{})
	if !errors.As(err, &forbidden) || forbidden.Resource != "configmaps" || forbidden.Namespace != namespace {
		t.Errorf("got %v", err)
	}
}

// TestUnreachable: a server that is not there is told at once, with its address.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config")
	text := `{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x, user: x}}],
clusters: [{name: x, cluster: {server: "https://127.0.0.1:1"}}], users: [{name: x, user: {}}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Connect(cluster.Config{Kubeconfig: file})
	if err != nil {
		t.Fatal(err)
	}
	var unreachable *cluster.UnreachableError
	if _, err := c.Facts(t.Context()); !errors.As(err, &unreachable) || unreachable.Server != "https://127.0.0.1:1" {
		t.Errorf("got %v", err)
	}
}

// recorder is an Observer that says what it was told.
type recorder struct{ told chan string }

func (r *recorder) Reset(list []*unstructured.Unstructured) {
	r.told <- fmt.Sprint("reset ", len(list))
}
func (r *recorder) Set(u *unstructured.Unstructured)    { r.told <- "set " + u.GetName() }
func (r *recorder) Remove(u *unstructured.Unstructured) { r.told <- "remove " + u.GetName() }

// TestFollow: an observer is told what is there, what comes, changes and goes, and Follow ends with its context.
func TestFollow(t *testing.T) {
	t.Parallel()
	c := newTestClient(t)
	namespace := newTestNamespace(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := &recorder{told: make(chan string, 10)}
	done := make(chan error)
	go func() {
		done <- c.Follow(ctx, cluster.Selection{Kind: object.Ref{Version: "v1", Kind: "ConfigMap"}, Namespace: namespace, Labels: "app.kubernetes.io/instance=x"}, r)
	}()
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-r.told:
			if got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("never told %q", want)
		}
	}
	expect("reset 0")
	for _, value := range []string{"1", "2"} {
		if _, err := c.Apply(ctx, configMap(namespace, map[string]any{"a": value}), cluster.ApplyOptions{}); err != nil {
			t.Fatal(err)
		}
		expect("set c")
	}
	if err := c.Delete(ctx, object.Of(configMap(namespace, nil)), ""); err != nil {
		t.Fatal(err)
	}
	expect("remove c")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Follow ended with %v", err)
	}
}
