package project_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"egk8s.dev/egk8s/deployer/project"
)

// TestAtCommit: a folder comes out of the repository as it was, whatever lies in it now.
func TestAtCommit(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git program here")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	save := func(text string) {
		t.Helper()
		file := filepath.Join(dir, "shop", "config", "gateway.config.yml")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("init", "-q", "-b", "trunk")
	save("old")
	run("add", ".")
	run("commit", "-q", "-m", "one")
	save("new")

	path, remove, err := project.AtCommit(t.Context(), filepath.Join(dir, "shop"), "trunk")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(path, "config", "gateway.config.yml"))
	if err != nil || string(text) != "old" {
		t.Errorf("%q, %v; want the text of the commit", text, err)
	}
	remove()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the folder is left behind: %v", err)
	}
	for _, ref := range []string{"nowhere", "--output=/tmp/x"} {
		var wrong *project.CommitError
		if _, _, err := project.AtCommit(t.Context(), dir, ref); !errors.As(err, &wrong) {
			t.Errorf("%s: %v, want a CommitError", ref, err)
		}
	}
	var wrong *project.CommitError
	if _, _, err := project.AtCommit(t.Context(), t.TempDir(), "trunk"); !errors.As(err, &wrong) {
		t.Errorf("outside a repository: %v, want a CommitError", err)
	}
}
