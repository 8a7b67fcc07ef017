package cloud_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/cloud"
)

func TestTarget(t *testing.T) {
	t.Parallel()
	announced := cloud.Facts{Registry: &cloud.Registry{Host: "localhost:5001"}}
	renamed := cloud.Facts{Registry: &cloud.Registry{Host: "localhost:5001", HostFromRuntime: "registry:5000"}}
	tests := map[string]struct {
		profile          string
		facts            cloud.Facts
		flag, repository string
		want             cloud.Target
	}{
		"flag wins":          {"kind", announced, "r.example/f", "r.example/p", cloud.Target{Delivery: cloud.Push, Push: "r.example/f", Pull: "r.example/f"}},
		"announced registry": {"kind", announced, "", "r.example/p", cloud.Target{Delivery: cloud.Push, Push: "localhost:5001/shop", Pull: "localhost:5001/shop"}},
		"seen differently":   {"local", renamed, "", "", cloud.Target{Delivery: cloud.Push, Push: "localhost:5001/shop", Pull: "registry:5000/shop"}},
		"project":            {"gke", cloud.Facts{}, "", "r.example/p", cloud.Target{Delivery: cloud.Push, Push: "r.example/p", Pull: "r.example/p"}},
		"into the nodes":     {"kind", cloud.Facts{}, "", "", cloud.Target{Delivery: cloud.KindLoad}},
	}
	for name, tt := range tests {
		profile, err := builtin(t).Get(tt.profile)
		if err != nil {
			t.Fatal(err)
		}
		got, err := profile.Target(tt.facts, tt.flag, tt.repository, "shop")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	gke, err := builtin(t).Get("gke")
	if err != nil {
		t.Fatal(err)
	}
	var missing *cloud.NoRepositoryError
	if _, err := gke.Target(cloud.Facts{}, "", "", "shop"); !errors.As(err, &missing) || !strings.Contains(missing.Hint(), "docker.pkg.dev") {
		t.Errorf("%v", err)
	}
}
