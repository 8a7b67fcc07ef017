package build

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func newSource(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), module+"\n\ngo 1.26.0\n\nrequire (\n\ta.b/c v1.0.0\n\td.e/f v1.2.0 // indirect\n)\n")
	for _, program := range Programs() {
		write(t, filepath.Join(dir, program, "main.go"), "package main\n")
	}
	return dir
}

func TestKeyFollowsWhatIsCompiled(t *testing.T) {
	t.Parallel()
	source := newSource(t)
	key := func() string {
		k, err := Key(source)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := key()
	write(t, filepath.Join(source, "egkube", "main.go"), "package main\n")
	write(t, filepath.Join(source, "go.mod"), module+"\n\ngo 1.26.0\n\nrequire d.e/f v1.2.0\n\nrequire (\n\ta.b/c v1.0.0 // indirect\n)\n")
	if key() != first {
		t.Error("egkube's own sources, or the order in go.mod, change the key")
	}
	write(t, filepath.Join(source, "coredns", "main.go"), "package main // other\n")
	second := key()
	if second == first {
		t.Error("a changed source does not change the key")
	}
	write(t, filepath.Join(source, "go.mod"), module+"\n\nrequire a.b/c v1.0.1\n")
	if key() == second {
		t.Error("a changed version does not change the key")
	}
	if err := os.RemoveAll(filepath.Join(source, "pause")); err != nil {
		t.Fatal(err)
	}
	if _, err := Key(source); err == nil || !strings.Contains(err.Error(), "pause") {
		t.Errorf("a missing program: %v", err)
	}
}

func TestFindSource(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	source := filepath.Join(root, "testdata", "cluster")
	write(t, filepath.Join(source, "go.mod"), module+"\n")
	write(t, filepath.Join(root, "go.mod"), "module egk8s.dev/egk8s\n")
	write(t, filepath.Join(root, "docs", "adr", "x"), "")
	for _, from := range []string{root, source, filepath.Join(root, "docs", "adr")} {
		if got, err := FindSource(from); err != nil || got != source {
			t.Errorf("from %s: %q, %v", from, got, err)
		}
	}
	if _, err := FindSource(t.TempDir()); err == nil || !strings.Contains(err.Error(), "--source") {
		t.Errorf("from elsewhere: %v", err)
	}
}

func TestPruneKeepsNewestAndUsed(t *testing.T) {
	t.Parallel()
	cache := layout.Cache{Dir: t.TempDir()}
	now := time.Now()
	for i := range 6 {
		file := filepath.Join(cache.Build(strconv.Itoa(i)), doneFile)
		write(t, file, "")
		if err := os.Chtimes(file, now, now.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, cache.Cluster("c").State(), "")
	if err := state.WriteJSON(cache.Cluster("c").State(), state.State{Build: cache.Build("0")}); err != nil {
		t.Fatal(err)
	}
	if err := prune(cache); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, false, true, true, true} {
		if got := Complete(cache.Build(strconv.Itoa(i))); got != want {
			t.Errorf("build %d is there: %v, want %v", i, got, want)
		}
	}
}
