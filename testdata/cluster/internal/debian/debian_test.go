package debian_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/testdata/cluster/internal/debian"
	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
)

func TestParseURIs(t *testing.T) {
	t.Parallel()
	const out = `Reading package lists...
The following NEW packages will be installed:
  containerd runc
'http://mirror.example/pool/main/libn/libnftnl/libnftnl11_1.2.4-2_amd64.deb' libnftnl11_1.2.4-2_amd64.deb 61632 MD5Sum:00
'http://mirror.example/pool/main/c/containerd/containerd_1.6.20%7eds1_amd64.deb' containerd_1.6.20~ds1_amd64.deb 25903404 MD5Sum:11
'http://mirror.example/dists/InRelease' mirror.example_dists_InRelease 12 
`
	if d := cmp.Diff([]string{"libnftnl11", "containerd"}, debian.ParseURIs(out)); d != "" {
		t.Error(d)
	}
	if got := debian.ParseURIs("E: Unable to locate package runc\n"); got != nil {
		t.Errorf("got %q from an error", got)
	}
}

func TestMachineIsWhatNodesSee(t *testing.T) {
	t.Parallel()
	got := debian.Machine("/home/u/bin:/opt/x/bin:.:/usr/bin:/usrlocal").Path
	want := []string{"/opt/x/bin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/sbin", "/bin"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// program makes an executable file.
func program(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	bin, cni := t.TempDir(), t.TempDir()
	place := debian.Place{Path: []string{"relative", bin}, Plugins: []string{filepath.Join(cni, "none"), cni}}
	names := func() string { return debian.Names(place.Missing(debian.Needs())) }
	for _, name := range []string{"containerd", "ctr", "runc", "nft"} {
		program(t, bin, name, "")
	}
	for _, name := range []string{"ptp", "loopback", "portmap"} {
		program(t, cni, name, "")
	}
	const want = "containerd (container runtime), containernetworking-plugins (networks of pods)"
	if got := names(); got != want {
		t.Errorf("without a shim and host-local: %q", got)
	}
	program(t, bin, "containerd-shim-runc-v2", "")
	program(t, cni, "host-local", "")
	if got := names(); got != "" {
		t.Errorf("with all: %q", got)
	}
	if err := os.Chmod(filepath.Join(bin, "runc"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := names(); got != "runc (starts containers)" {
		t.Errorf("with a runc that cannot be run: %q", got)
	}
}

// fakePackages makes a package of everything that nodes need, and an apt-get
// that knows it. Only apt-get is not the real one.
func fakePackages(t *testing.T) (path string) {
	t.Helper()
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("no dpkg-deb here: this machine's packages are of another kind")
	}
	tree := filepath.Join(t.TempDir(), "tree")
	for _, need := range debian.Needs() {
		for _, name := range need.Programs {
			program(t, filepath.Join(tree, "usr", "sbin"), name, "")
		}
		for _, name := range need.Plugins {
			program(t, filepath.Join(tree, "usr", "lib", "cni"), name, "")
		}
	}
	program(t, filepath.Join(tree, "usr", "lib", "x86_64-linux-gnu"), "libneeded.so.1", "")
	program(t, filepath.Join(tree, "DEBIAN"), "control", "Package: all\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.com>\nDescription: x\n")
	deb := filepath.Join(t.TempDir(), "all_1_all.deb")
	if out, err := exec.Command("dpkg-deb", "-b", tree, deb).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	bin := t.TempDir()
	program(t, bin, "apt-get", `#!/bin/sh
echo "$@" >> `+filepath.Join(bin, "calls")+`
case "$*" in
*update*) ;;
*--print-uris*lists*|*lists*--print-uris*) echo "'http://x/all_1_all.deb' all_1_all.deb 1 MD5Sum:0" ;;
*--print-uris*) echo "E: Unable to locate package runc" >&2; exit 100 ;;
*download*) cp `+deb+` . ;;
esac
`)
	return bin
}

func TestEnsureUnpacksOnceAndInstallsNothing(t *testing.T) {
	bin := fakePackages(t)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	var said strings.Builder
	o := debian.Options{Cache: layout.Cache{Dir: t.TempDir()}, Out: &said}
	tools, err := debian.Ensure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, need := range []string{"containerd (container runtime)", "installing nothing"} {
		if !strings.Contains(said.String(), need) {
			t.Errorf("it does not say %q: %s", need, said.String())
		}
	}
	if got := (debian.Place{Path: tools.Path}).Program("runc"); !strings.HasPrefix(got, tools.Root+"/") {
		t.Errorf("runc is %q, not in %s", got, tools.Root)
	}
	if d := cmp.Diff([]string{filepath.Join(tools.Root, "usr/lib/x86_64-linux-gnu")}, tools.Libraries); d != "" {
		t.Error(d)
	}
	calls, err := os.ReadFile(filepath.Join(bin, "calls"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(calls), "update"); n != 1 {
		t.Errorf("package lists were fetched %d times:\n%s", n, calls)
	}
	for line := range strings.Lines(string(calls)) {
		if strings.Contains(line, " install ") && !strings.Contains(line, "--print-uris") {
			t.Errorf("it installs: apt-get %s", line)
		}
	}
	again, err := debian.Ensure(t.Context(), debian.Options{Cache: o.Cache, Out: io.Discard})
	if d := cmp.Diff(tools, again); err != nil || d != "" {
		t.Errorf("the second time: %v\n%s", err, d)
	}
	after, err := os.ReadFile(filepath.Join(bin, "calls"))
	if err != nil || len(after) != len(calls) {
		t.Errorf("the second time apt-get was called: %v\n%s", err, after)
	}
}

func TestEnsureSaysWhatIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := debian.Ensure(context.Background(), debian.Options{Cache: layout.Cache{Dir: t.TempDir()}, Out: io.Discard})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"containerd", "runc", "nftables", "--nodes 0", "kind"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it does not name %s: %v", want, err)
		}
	}
}
