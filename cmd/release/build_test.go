//go:build release

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRelease builds the release twice, in different folders, with another HOME, umask and time zone, and
// compares every file; then it installs from the first.
func TestRelease(t *testing.T) {
	platforms := cmp.Or(os.Getenv("EGK8S_PLATFORMS"), "linux/amd64")
	sources := tracked(t)
	first := build(t, sources, filepath.Join(t.TempDir(), "a"), platforms, "UTC", 0o022)
	second := build(t, sources, filepath.Join(t.TempDir(), "much/longer/path"), platforms, "Asia/Tokyo", 0o077)
	files, err := os.ReadDir(first)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		one, err := os.ReadFile(filepath.Join(first, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(second, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, two) {
			t.Errorf("%s differs", f.Name())
		}
		t.Logf("%9d %s", len(one), f.Name())
	}
	program, said, err := install(t, &release{out: first})
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	out, err := exec.Command(program, "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "egk8s v9.8.7 (commit 0123456789ab of 2023-11-14T22:13:20Z, ") {
		t.Errorf("egk8s version: %v: %s", err, out)
	}
	if out, err := exec.Command(program, "image", "build").CombinedOutput(); err != nil || !strings.Contains(string(out), "linux/amd64") {
		t.Errorf("egk8s image build: %v: %s", err, out)
	}
	bill, err := os.ReadFile(filepath.Join(first, "egk8s_v9.8.7_linux_amd64.spdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var document spdxDocument
	if err := json.Unmarshal(bill, &document); err != nil || !bytes.Contains(bill, []byte("pkg:golang/helm.sh/helm/v3@")) {
		t.Errorf("the bill of materials names no helm: %v", err)
	}
}

func build(t *testing.T, sources map[string][]byte, dir, platforms, zone string, umask int) string {
	t.Helper()
	defer syscall.Umask(syscall.Umask(umask))
	for name, data := range sources {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	environment := func(name string) string {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	// EGK8S_FRESH: compile all again, so that the compiler's cache is not what makes the builds equal.
	cache := environment("GOCACHE")
	if os.Getenv("EGK8S_FRESH") != "" {
		cache = filepath.Join(dir, "cache")
	}
	cmd := exec.Command("go", "run", "-trimpath", "-buildvcs=false", "./cmd/release", "-version", "v9.8.7", "-commit", "0123456789abcdef", "-platforms", platforms,
		"-gateways", cmp.Or(os.Getenv("EGK8S_GATEWAYS"), "linux/amd64"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(dir, "home"), "TZ="+zone, "SOURCE_DATE_EPOCH=1700000000", "CGO_ENABLED=0",
		"GOCACHE="+cache, "GOMODCACHE="+environment("GOMODCACHE"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "dist", "v9.8.7")
}

// tracked reads what git knows of the sources, once: the work tree may change while we build.
func tracked(t *testing.T) map[string][]byte {
	t.Helper()
	root := filepath.Join("..", "..")
	list, err := exec.Command("git", "-C", root, "ls-files", "-z", "--", "cmd", "gateway", "deployer", "templates", "charts", "go.mod", "go.sum",
		"LICENSE", "README.md", "install.sh").Output()
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string][]byte{}
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		if sources[name], err = os.ReadFile(filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return sources
}
