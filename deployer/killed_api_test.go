//go:build api

package deployer_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/release"
)

// place is a namespace of a real API server without nodes: no deploy there becomes healthy.
type place struct {
	t         *testing.T
	client    *cluster.Client
	namespace string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	client, err := cluster.Connect(cluster.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, client: client, namespace: fmt.Sprintf("deployer-%x", time.Now().UnixNano())}
	t.Cleanup(func() {
		_ = client.Delete(context.WithoutCancel(t.Context()), object.Namespace(p.namespace), "")
	})
	return p
}

type nowhere struct{}

func (nowhere) Emit(event.Event) {}

// deploy runs egk8s deploy with a spec; nothing becomes healthy without nodes.
func (p *place) deploy(spec string) {
	p.t.Helper()
	dir := p.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "templates", "project"))); err != nil {
		p.t.Fatal(err)
	}
	for name, text := range map[string]string{
		"egk8s.yaml": "apiVersion: egk8s.dev/v1alpha1\nkind: Gateway\nmetadata: {name: shop}\nspec: " + spec + "\n",
		"config/gateway.config.yml": "http: {port: 8080}\napiEndpoints: {api: {host: '*'}}\npolicies: [terminate]\n" +
			"pipelines: {main: {apiEndpoints: [api], policies: [{terminate: [{action: {}}]}]}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	loaded, problems := project.Load(filepath.Join(dir, "egk8s.yaml"), project.Options{})
	if problems.HasErrors() {
		p.t.Fatal(problems)
	}
	result, err := deployer.Deploy(p.t.Context(), deployer.DeployOptions{
		Target:  deployer.Target{Namespace: p.namespace, Cloud: "generic"},
		Project: loaded, Image: "example.com/gateway:1", CreateNS: true, Timeout: 3 * time.Second,
	}, nowhere{})
	if result.Outcome != deployer.Unfinished {
		p.t.Fatalf("outcome %s: %v", result.Outcome, err)
	}
}

func (p *place) get(ref object.Ref) *unstructured.Unstructured {
	p.t.Helper()
	ref.Namespace = p.namespace
	u, err := p.client.Get(p.t.Context(), ref)
	if err != nil {
		p.t.Fatal(err)
	}
	return u
}

func (p *place) level() string {
	u := p.get(object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: "shop"})
	text := fmt.Sprint(u.Object["spec"])
	_, rest, _ := strings.Cut(text, "LOG_LEVEL value:")
	return strings.TrimRight(strings.Fields(rest + " ")[0], "]")
}

// state returns the Secret in which egk8s remembers, and what it holds.
func (p *place) state() (*unstructured.Unstructured, map[string]any) {
	p.t.Helper()
	u := p.get(object.Ref{Version: "v1", Kind: "Secret", Name: "shop-egk8s"})
	text, _, _ := unstructured.NestedString(u.Object, "data", "state")
	raw, err := base64.StdEncoding.DecodeString(text)
	state := map[string]any{}
	if err == nil {
		err = json.Unmarshal(raw, &state)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return u, state
}

// TestDeployAfterAKilledOne: a run is killed when it has applied and recorded nothing of it yet. Going
// back to what was before is then a change, and what its prober left is removed.
func TestDeployAfterAKilledOne(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	client := p.client
	p.deploy("{logLevel: info}")
	_, before := p.state()
	p.deploy("{logLevel: debug}")
	if got := p.level(); got != "debug" {
		t.Fatalf("the Deployment has log level %q", got)
	}
	secret, _ := p.state()
	before["intent"] = release.Intent{Revision: 2, By: "somebody", Since: time.Now()}
	raw, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	_ = unstructured.SetNestedField(secret.Object, base64.StdEncoding.EncodeToString(raw), "data", "state")
	if _, err := client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	left := object.Ref{Version: "v1", Kind: "Secret", Namespace: p.namespace, Name: "shop-egk8s-probe-x"}
	if _, err := client.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{
			"name": left.Name, "namespace": left.Namespace, "labels": map[string]any{"egk8s.dev/role": "prober", "egk8s.dev/release": "shop"},
		},
	}}); err != nil {
		t.Fatal(err)
	}
	p.deploy("{logLevel: info}")
	if got := p.level(); got != "info" {
		t.Errorf("after going back the Deployment has log level %q", got)
	}
	if _, err := client.Get(t.Context(), left); !cluster.IsNotFound(err) {
		t.Errorf("the Secret of the killed run's prober is there: %v", err)
	}
}
