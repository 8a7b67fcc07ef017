//go:build api

package deployer_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// TestTritonByController: where a controller answers LoadBalancer Services, it gets one, with its annotations; a way that
// needs credentials, and for which there are none, stops the deploy before anything is written.
func TestTritonByController(t *testing.T) {
	for _, name := range []string{"TRITON_PROFILE", "TRITON_URL", "TRITON_ACCOUNT", "TRITON_KEY_ID", "TRITON_KEY_MATERIAL", "SDC_URL", "SDC_ACCOUNT", "SDC_KEY_ID"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	p := newPlace(t)
	p.deploy("{logLevel: info}")
	run := func(spec string) (*deployer.Result, error) {
		return deployer.Deploy(t.Context(), deployer.DeployOptions{
			Target:  deployer.Target{Namespace: p.namespace, Cloud: "triton"},
			Project: p.project(spec), Image: "example.com/gateway:1", Timeout: 4 * time.Second,
		}, nowhere{})
	}
	result, err := run("{triton: {package: g1.micro}}")
	var missing *deployer.CheckError
	if !errors.As(err, &missing) || missing.Code != "triton-credentials" || !strings.Contains(missing.Hint, "TRITON_URL") || len(result.Changes) > 0 {
		t.Fatalf("without credentials: %v, %+v", err, result.Changes)
	}

	service := object.Ref{Version: "v1", Kind: "Service", Name: "shop"}
	if _, err := run("{logLevel: debug}"); !isTimeout(err) || p.kind(service) != "NodePort" {
		t.Errorf("without a controller: %v, %s", err, p.kind(service))
	}
	controller := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "triton-lb-controller", "namespace": "kube-system"},
		"spec": map[string]any{
			"replicas": int64(0), "selector": map[string]any{"matchLabels": map[string]any{"app": "x"}},
			"template": map[string]any{
				"metadata": map[string]any{"labels": map[string]any{"app": "x"}},
				"spec":     map[string]any{"containers": []any{map[string]any{"name": "x", "image": "example.com/x:1"}}},
			},
		},
	}}
	if _, err := p.client.Create(t.Context(), controller); err != nil && !cluster.IsExists(err) {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.client.Delete(t.Context(), object.Of(controller), "") })
	if _, err := run("{logLevel: warn}"); !isTimeout(err) || p.kind(service) != "LoadBalancer" {
		t.Errorf("with a controller: %v, %s", err, p.kind(service))
	}
	if got := p.get(service).GetAnnotations()["tritondatacenter.com/lb-protocol"]; got != "http" {
		t.Errorf("annotation %q", got)
	}
	if _, err := run("{logLevel: error, triton: {way: nodePort}}"); !isTimeout(err) || p.kind(service) != "NodePort" {
		t.Errorf("when node ports are asked for: %v, %s", err, p.kind(service))
	}
}

// kind is the type of a Service.
func (p *place) kind(service object.Ref) string {
	text, _, _ := unstructured.NestedString(p.get(service).Object, "spec", "type")
	return text
}
