//go:build reproducible

package image_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"egk8s.dev/egk8s/deployer/image"
)

// TestReproducible builds the real gateway twice with nothing shared but the compiler and the
// module cache: other folders, HOME, umask, time zone and build cache.
func TestReproducible(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	modules, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	sources := t.TempDir() // taken once: the work tree may change while we build
	for _, part := range []string{"cmd", "gateway"} {
		if err := os.CopyFS(filepath.Join(sources, part), os.DirFS(filepath.Join(root, part))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sources, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := func(dir, zone string, umask int) string {
		defer syscall.Umask(syscall.Umask(umask))
		if err := os.CopyFS(dir, os.DirFS(sources)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", "out", "./cmd/egk8s-gateway")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+filepath.Join(dir, "home"), "GOCACHE="+filepath.Join(dir, "cache"), "TZ="+zone,
			"CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=", "GOMODCACHE="+string(modules[:len(modules)-1]))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Setenv("TZ", zone)
		src, err := image.FromBinaries("1", filepath.Join(dir, "out"))
		if err != nil {
			t.Fatal(err)
		}
		img, err := image.Assemble(src)
		if err != nil {
			t.Fatal(err)
		}
		return img.Digest
	}
	first := build(filepath.Join(t.TempDir(), "a"), "UTC", 0o022)
	second := build(filepath.Join(t.TempDir(), "much/longer/path"), "Asia/Tokyo", 0o077)
	if first != second {
		t.Errorf("two builds: %s and %s", first, second)
	}
}
