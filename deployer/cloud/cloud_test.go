package cloud_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/cloud"
)

func builtin(t *testing.T) *cloud.Profiles {
	t.Helper()
	profiles, problems := cloud.Builtin()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return profiles
}

func nodes(label, providerID string) []cloud.Node {
	return []cloud.Node{{Name: "a", Labels: map[string]string{"kubernetes.io/os": "linux"}}, {
		Name: "b", ProviderID: providerID, Labels: map[string]string{label: "x"},
	}}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	profiles := builtin(t)
	tests := map[string]struct {
		facts   cloud.Facts
		want    string
		reason  string
		warning bool
	}{
		"nothing known":                   {cloud.Facts{Context: "prod"}, "generic", "no other profile", false},
		"local":                           {cloud.Facts{Context: "egkube-e2e", Nodes: nodes("egk8s.dev/local-cluster", "egkube://1")}, "local", "context egkube-e2e", false},
		"local, renamed context":          {cloud.Facts{Context: "x", Nodes: nodes("egk8s.dev/local-cluster", "")}, "local", "node label", false},
		"kind without rights to nodes":    {cloud.Facts{Context: "kind-dev"}, "kind", "context kind-dev", false},
		"kind, renamed context":           {cloud.Facts{Context: "dev", Nodes: nodes("a", "kind://docker/dev/dev-worker")}, "kind", "providerID", false},
		"gke":                             {cloud.Facts{Context: "gke_p_europe-west1_c", GitVersion: "v1.35.2-gke.1842000"}, "gke", "version v1.35.2-gke.1842000", false},
		"gke called kind-prod":            {cloud.Facts{Context: "kind-prod", GitVersion: "v1.35.2-gke.1", Nodes: nodes("cloud.google.com/gke-nodepool", "gce://p/z/n")}, "gke", "gke-nodepool", false},
		"kubeadm on google's machines":    {cloud.Facts{GitVersion: "v1.35.2", APIGroups: []string{"networking.gke.io"}, Nodes: nodes("a", "gce://p/z/n")}, "generic", "not clear", true},
		"triton by provider":              {cloud.Facts{Context: "admin@c", Nodes: nodes("a", "triton:///us/uuid")}, "triton", "providerID", false},
		"triton by server":                {cloud.Facts{Context: "default", Server: "https://ctrl.svc.login.us-east-1.triton.zone:6443"}, "triton", "server", false},
		"context says kind, login google": {cloud.Facts{Context: "kind-x", ExecCommand: "/opt/gke-gcloud-auth-plugin"}, "generic", "not clear", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := profiles.Resolve("", tt.facts)
			if err != nil {
				t.Fatal(err)
			}
			if got.Profile.Name != tt.want || got.Detected != (tt.want != "generic") || (got.Warning != "") != tt.warning {
				t.Errorf("%s detected=%v %q", got.Profile.Name, got.Detected, got.Warning)
			}
			if reasons := strings.Join(got.Reasons, "; "); !strings.Contains(reasons, tt.reason) {
				t.Errorf("reasons: %s", reasons)
			}
		})
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	profiles := builtin(t)
	got, err := profiles.Resolve("triton", cloud.Facts{Context: "kind-dev"})
	if err != nil || got.Profile.Name != "triton" || got.Detected {
		t.Errorf("%+v %v", got, err)
	}
	var unknown *cloud.UnknownError
	if _, err := profiles.Resolve("kindd", cloud.Facts{}); !errors.As(err, &unknown) || unknown.Suggestion != "kind" {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff([]string{"aks", "doks", "eks", "generic", "gke", "k3d", "k3s", "kind", "local", "minikube", "openshift", "triton"}, profiles.Names()); diff != "" {
		t.Error(diff)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	gke, err := builtin(t).Get("gke")
	if err != nil {
		t.Fatal(err)
	}
	if gke.MinKubernetes != "1.29" || gke.Image.PullPolicy != "IfNotPresent" || gke.Service.LoadBalancerClass == "" ||
		len(gke.Missing) != 0 || len(gke.Detect) == 0 {
		t.Errorf("%+v", gke)
	}
	kind, err := builtin(t).Get("kind")
	if err != nil || kind.Image.Example != "" || len(kind.Spread) != 1 {
		t.Errorf("null removes, lists replace: %+v %v", kind, err)
	}
}

// TestKindCluster: the nodes know their cluster's name whatever the context is called.
func TestKindCluster(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		facts cloud.Facts
		want  string
	}{
		"renamed context":  {cloud.Facts{Context: "dev", Nodes: []cloud.Node{{ProviderID: "kind://docker/shop/shop-worker"}}}, "shop"},
		"nodes win":        {cloud.Facts{Context: "kind-old", Nodes: []cloud.Node{{}, {ProviderID: "kind://podman/shop/n"}}}, "shop"},
		"no right to look": {cloud.Facts{Context: "kind-shop"}, "shop"},
		"other provider":   {cloud.Facts{Context: "kind-", Nodes: []cloud.Node{{ProviderID: "gce://p/z/n"}}}, "kind"},
		"nothing known":    {cloud.Facts{Context: "dev"}, "kind"},
	}
	for name, c := range cases {
		if got := c.facts.KindCluster(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
