package check_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"egk8s.dev/egk8s/deployer/check"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
)

// getter holds objects by Kind/name; a nil one may not be read.
type getter map[string]map[string]any

func (g getter) Get(_ context.Context, ref object.Ref) (*unstructured.Unstructured, error) {
	o, ok := g[ref.String()]
	switch {
	case !ok:
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: ref.Kind}, ref.Name)
	case o == nil:
		return nil, errors.New("not allowed")
	default:
		return &unstructured.Unstructured{Object: o}, nil
	}
}

func (g getter) Create(_ context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return u, nil
}

func (g getter) DryCreate(_ context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return u, nil
}

// TestRun: what stands in the way of a deploy is found before it begins.
func TestRun(t *testing.T) {
	t.Parallel()
	secret := map[string]any{"data": map[string]any{"jwt": "eA=="}}
	cases := map[string]struct {
		there   getter
		version string
		want    []string
	}{
		"all well":                        {getter{"Namespace/n": {}, "Secret/s": secret}, "v1.35.2-gke.1842000", nil},
		"the namespace may not be read":   {getter{"Namespace/n": nil, "Secret/s": secret}, "v1.29.0", nil},
		"no namespace":                    {getter{}, "v1.37.1", []string{"namespace-missing error"}},
		"a namespace that goes":           {getter{"Namespace/n": {"metadata": map[string]any{"deletionTimestamp": "2026-11-22T00:00:00Z"}}, "Secret/s": secret}, "v1.37.1", []string{"namespace-terminating error"}},
		"no Secret":                       {getter{"Namespace/n": {}}, "v1.37.1", []string{"secret-missing error"}},
		"a Secret without the key":        {getter{"Namespace/n": {}, "Secret/s": {"data": map[string]any{"other": "eA=="}}}, "v1.37.1", []string{"secret-missing error"}},
		"a Secret that may not be read":   {getter{"Namespace/n": {}, "Secret/s": nil}, "v1.37.1", []string{"secret-unreadable warning"}},
		"a cluster that is too old":       {getter{"Namespace/n": {}, "Secret/s": secret}, "v1.28.15", []string{"version-too-old error"}},
		"a cluster newer than any tried":  {getter{"Namespace/n": {}, "Secret/s": secret}, "v1.40.0", []string{"version-untried warning"}},
		"a cluster with a strange number": {getter{"Namespace/n": {}, "Secret/s": secret}, "devel", []string{"version-unknown warning"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &project.Project{Position: func(string) diag.Position { return diag.Position{File: "egk8s.yaml", Line: 7} }}
			p.Spec.SecretEnv = map[string]project.SecretKey{"JWT": {Secret: "s", Key: "jwt"}}
			var got []string
			facts := &cluster.Facts{Facts: cloud.Facts{GitVersion: c.version}}
			in := check.Input{Cluster: c.there, Namespace: "n", Facts: facts, Project: p}
			for _, f := range check.Findings(check.Run(t.Context(), in, false)) {
				got = append(got, f.Code+" "+string(f.Severity))
				if f.Message == "" || f.Severity == check.Error && f.Hint == "" && f.Code != "version-too-old" {
					t.Errorf("says too little: %+v", f)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
