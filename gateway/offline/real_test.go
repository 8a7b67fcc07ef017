package offline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
)

// TestRealConfigs checks the gateway files of real users as for a pod: each gives a report, every error has a place,
// and every route without a variable in its path has a concrete one.
func TestRealConfigs(t *testing.T) {
	t.Parallel()
	source := os.Getenv("EGK8S_REAL_CONFIGS")
	if source == "" {
		t.Skip("EGK8S_REAL_CONFIGS names no folder of real users' files")
	}
	files, err := filepath.Glob(filepath.Join(source, "*.gateway.config.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", source, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			dir := newTestFolder(t, "")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "gateway.config.yml"), text, 0o600); err != nil {
				t.Fatal(err)
			}
			r := check(t, dir, offline.Options{Pod: true})
			for _, p := range r.Problems {
				if p.File != "gateway.config.yml" || p.Line == 0 || p.Column == 0 {
					t.Errorf("no place: %+v", p)
				}
			}
			for _, route := range r.Routes {
				if route.Path == "" && !strings.Contains(string(text), "${") {
					t.Errorf("no concrete path for %+v", route)
				}
			}
			t.Log("\n" + diag.Text(r.Problems, func(string) ([]byte, error) { return text, nil }, diag.Style{}))
		})
	}
}
