package cluster_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/cluster"
)

// TestNoConfig: what is missing is told, with the contexts there are; no request is sent.
func TestNoConfig(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("KUBECONFIG", filepath.Join(dir, "none"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	two := filepath.Join(dir, "two")
	text := `{apiVersion: v1, kind: Config, contexts: [{name: b, context: {cluster: x, user: x}}, {name: a, context: {cluster: x, user: x}}],
clusters: [{name: x, cluster: {server: "https://127.0.0.1:1"}}], users: [{name: x, user: {}}]}`
	broken := filepath.Join(dir, "broken")
	for file, content := range map[string]string{two: text, broken: "{"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		cfg      cluster.Config
		contexts []string
		message  string
	}{
		"no file":          {cluster.Config{}, nil, "no cluster configured: ~/none"},
		"none is current":  {cluster.Config{Kubeconfig: two}, []string{"a", "b"}, "no cluster chosen: ~/two has no current context"},
		"no such context":  {cluster.Config{Kubeconfig: two, Context: "c"}, []string{"a", "b"}, `no context "c" in ~/two`},
		"not a kubeconfig": {cluster.Config{Kubeconfig: broken}, nil, ""},
		"file not there":   {cluster.Config{Kubeconfig: filepath.Join(dir, "gone")}, nil, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := cluster.Connect(c.cfg)
			var missing *cluster.NoConfigError
			if !errors.As(err, &missing) {
				t.Fatalf("got %v", err)
			}
			if d := cmp.Diff(c.contexts, missing.Contexts); d != "" {
				t.Error(d)
			}
			if c.message != "" && missing.Error() != c.message {
				t.Errorf("says %q, want %q", missing.Error(), c.message)
			}
		})
	}
}
