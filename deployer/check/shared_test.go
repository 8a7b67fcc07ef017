package check_test

import (
	"testing"

	"egk8s.dev/egk8s/deployer/check"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
)

func TestStoreThatIsNotShared(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		inMemory bool
		replicas project.Replicas
		found    bool
	}{
		"one replica":           {true, project.Replicas{Fixed: 1}, false},
		"two":                   {true, project.Replicas{Fixed: 2}, true},
		"perhaps two":           {true, project.Replicas{Min: 1, Max: 2, CPU: 60}, true},
		"two that share tokens": {false, project.Replicas{Fixed: 2}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &project.Project{Position: func(string) diag.Position { return diag.Position{File: "egk8s.yaml", Line: 5} }}
			p.Spec.Replicas = tt.replicas
			found := check.Findings(check.Run(t.Context(), check.Input{
				Cluster: getter{"Namespace/n": {}}, Namespace: "n", Facts: &cluster.Facts{Facts: cloud.Facts{GitVersion: "v1.37.1"}}, Project: p, TokensInMemory: tt.inMemory,
			}, false))
			if (len(found) == 1 && found[0].Code == "store-not-shared" && found[0].Severity == check.Error) != tt.found {
				t.Errorf("findings %+v", found)
			}
		})
	}
}
