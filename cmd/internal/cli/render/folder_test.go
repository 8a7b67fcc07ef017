package render

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/render"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*.yaml", "*/*.yaml"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			out = append(out, strings.TrimPrefix(f, dir+"/"))
		}
	}
	return out
}

func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, text := range map[string]string{"mine.yaml": "a: 1\n", "gke/overlay.yaml": mark, "other/kept.yaml": mark} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := []render.OutFile{{Path: "a.yaml", Data: []byte("x: 1\n")}, {Path: "gke/b.yaml", Data: []byte("x: 2\n")}}
	if err := replace(dir, first); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a.yaml", "mine.yaml", "gke/b.yaml", "other/kept.yaml"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := replace(dir, []render.OutFile{{Path: "c.yaml"}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"c.yaml", "mine.yaml", "gke/b.yaml", "other/kept.yaml"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := replace(dir, []render.OutFile{{Path: "mine.yaml"}}); err == nil {
		t.Error("a file of the user's was written over")
	}
	info, err := os.Stat(filepath.Join(dir, "c.yaml"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}
