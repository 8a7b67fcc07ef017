package check_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"egk8s.dev/egk8s/deployer/check"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
)

// server is a getter that answers reviews of rights and judges pods.
type server struct {
	getter
	rules  string // of a SelfSubjectRulesReview, as JSON
	refuse error  // of a pod
}

func (s server) Create(_ context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if u.GetKind() != "SelfSubjectRulesReview" {
		return nil, errors.New("a check makes a " + u.GetKind())
	}
	out := u.DeepCopy()
	var status map[string]any
	if err := json.Unmarshal([]byte(s.rules), &status); err != nil {
		return nil, err
	}
	out.Object["status"] = status
	return out, nil
}

func (s server) DryCreate(_ context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if u.GetKind() != "Pod" || u.GetName() != "shop-admission-check" {
		return nil, errors.New("judged is " + u.GetKind() + " " + u.GetName())
	}
	return u, s.refuse
}

const role = `
rules:
  - {apiGroups: [""], resources: [secrets], verbs: [get, create]}
  - {apiGroups: [apps], resources: [deployments], verbs: [get, patch]}
`

// TestThorough: rights, admission, services, and what the cluster has, each with its finding.
func TestThorough(t *testing.T) {
	t.Parallel()
	everything := `{"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]}`
	well := server{
		getter: getter{
			"Namespace/n": {}, "Service/orders": {"spec": map[string]any{"clusterIP": "10.0.0.1", "ports": []any{map[string]any{"port": int64(8080)}}}},
			"Service/headless": {"spec": map[string]any{"clusterIP": "None"}},
		},
		rules: everything,
	}
	tests := map[string]struct {
		change    func(*server, *cloud.Facts, *project.Project)
		upstreams []string
		want      []string
	}{
		"all well":                    {nil, []string{"http://orders:8080", "http://headless:1", "https://api.example.com", "http://10.0.0.9", "http://localhost:1", "http://example.com"}, nil},
		"a Service that is not there": {nil, []string{"http://nobody:80", "http://nobody.shop.svc.cluster.local"}, []string{"upstream-missing warning", "upstream-missing warning"}},
		"a port that it has not":      {nil, []string{"http://orders"}, []string{"upstream-port warning"}},
		"a right less": {func(s *server, _ *cloud.Facts, _ *project.Project) {
			s.rules = `{"resourceRules": [{"verbs": ["*"], "apiGroups": [""], "resources": ["*"]}]}`
		}, nil, []string{"rights-missing error"}},
		"rights that nobody lists": {func(s *server, _ *cloud.Facts, _ *project.Project) { s.rules = `{"incomplete": true}` }, nil, []string{"rights-unknown warning"}},
		"rights for some names only": {func(s *server, _ *cloud.Facts, _ *project.Project) {
			s.rules = `{"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "resourceNames": ["x"]}]}`
		}, nil, []string{"rights-missing error"}},
		"a quota that is used up": {func(s *server, _ *cloud.Facts, _ *project.Project) {
			s.refuse = apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "x", errors.New("exceeded quota"))
		}, nil, []string{"not-admitted error"}},
		"pods that may not be judged": {func(s *server, _ *cloud.Facts, _ *project.Project) { s.refuse = &cluster.ForbiddenError{} }, nil, []string{"admission-unknown warning"}},
		"windows nodes beside others": {func(_ *server, f *cloud.Facts, _ *project.Project) {
			f.Nodes = append(f.Nodes, cloud.Node{Platform: "windows/amd64"})
		}, nil, []string{"wrong-platform warning"}},
		"windows nodes only": {func(_ *server, f *cloud.Facts, _ *project.Project) {
			f.Nodes = []cloud.Node{{Platform: "windows/amd64"}}
		}, nil, []string{"wrong-platform error"}},
		"a node that has not said what it is": {func(_ *server, f *cloud.Facts, _ *project.Project) {
			f.Nodes = []cloud.Node{{}}
		}, nil, nil},
		"an autoscaler without measures": {func(_ *server, _ *cloud.Facts, p *project.Project) {
			p.Spec.Replicas = project.Replicas{Min: 1, Max: 2, CPU: 60}
		}, nil, []string{"no-metrics warning"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, facts := well, cloud.Facts{GitVersion: "v1.37.1", Nodes: []cloud.Node{{Platform: "linux/amd64"}}, APIGroups: []string{"apps"}}
			p := &project.Project{Name: "shop", Position: func(string) diag.Position { return diag.Position{File: "egk8s.yaml", Line: 7} }}
			if test.change != nil {
				test.change(&s, &facts, p)
			}
			in := check.Input{
				Cluster: s, Namespace: "n", Facts: &cluster.Facts{Facts: facts}, Project: p, Role: role,
				Objects: []*unstructured.Unstructured{{Object: map[string]any{
					"kind": "Deployment", "spec": map[string]any{"template": map[string]any{"spec": map[string]any{"serviceAccountName": "shop"}}},
				}}},
			}
			for _, u := range test.upstreams {
				in.Upstreams = append(in.Upstreams, offline.Upstream{Name: "orders", URL: u})
			}
			results := check.Run(t.Context(), in, true)
			var got []string
			for _, f := range check.Findings(results) {
				got = append(got, f.Code+" "+string(f.Severity))
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
			if len(results) != len(check.Checks()) {
				t.Errorf("%d results of %d checks", len(results), len(check.Checks()))
			}
		})
	}
}
