package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"egk8s.dev/egk8s/deployer/project"
)

// TestTritonMistakes are found with their lines.
func TestTritonMistakes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "egk8s.yaml")
	text := `apiVersion: egk8s.dev/v1alpha1
kind: Gateway
metadata: {name: shop}
spec:
  triton:
    way: triton-lb
    name: Shop_1
    instances: 17
    mode: udp
    nodeTag: k8s.cluster
    settle: 150
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems := project.Load(file, project.Options{})
	got := problems.Error()
	for _, want := range []string{":6:10: there is no way", ":7:11: ", ":8:16: instances", ":9:11: there is no mode", ":10:14: ", ":11:13: "} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
}
