package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// Options of Ensure.
type Options struct {
	Cache layout.Cache
	Out   io.Writer
	// Machine is where programs that are installed are looked for.
	Machine Place
}

// Ensure returns where the tools of nodes are: on the machine, as far as they
// are there, and otherwise unpacked into the cache.
func Ensure(ctx context.Context, o Options) (state.Tools, error) {
	machine := o.Machine
	missing := machine.Missing(Needs())
	if len(missing) == 0 {
		return tools(machine, "")
	}
	dir := filepath.Join(o.Cache.Packages(), key(missing))
	if _, err := os.Stat(filepath.Join(dir, doneFile)); err == nil {
		return tools(machine, dir)
	}
	if err := unpack(ctx, o, missing, dir); err != nil {
		return state.Tools{}, fmt.Errorf("get what nodes need and this machine lacks: %s: %w\n"+
			"Install these packages by hand, or take the control plane alone (egkube up --nodes 0),\n"+
			"or use a cluster of your own: kind, or any context of your kubeconfig", Names(missing), err)
	}
	return tools(machine, dir)
}

// doneFile is written into a folder of packages last.
const doneFile = "done"

// tools puts what was unpacked before what the machine has.
func tools(machine Place, dir string) (state.Tools, error) {
	p, t := machine, state.Tools{}
	if dir != "" {
		unpacked := Unpacked(dir)
		p.Path = append(unpacked.Path, machine.Path...)
		p.Plugins = append(unpacked.Plugins, machine.Plugins...)
		t.Root = dir
		t.Libraries = libraries(dir)
	}
	if missing := p.Missing(Needs()); len(missing) > 0 {
		return t, fmt.Errorf("look for %s: the packages in %s do not hold it", Names(missing), dir)
	}
	t.Path = p.Path
	for _, n := range Needs() {
		if len(n.Plugins) > 0 {
			t.CNI = p.PluginFolder(n.Plugins)
		}
	}
	return t, nil
}

// libraries are the folders of shared libraries among the unpacked files.
func libraries(dir string) []string {
	found := map[string]bool{}
	var dirs []string
	for _, pattern := range []string{"usr/lib/*.so*", "usr/lib/*/*.so*", "lib/*.so*", "lib/*/*.so*", "usr/lib64/*.so*"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			continue
		}
		for _, f := range files {
			if d := filepath.Dir(f); !found[d] && filepath.Base(d) != "xtables" {
				found[d] = true
				dirs = append(dirs, d)
			}
		}
	}
	return dirs
}

// key names the folder of some packages of this distribution.
func key(needs []Need) string {
	h := sha256.New()
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		release = nil // only told apart less well
	}
	fmt.Fprintf(h, "%s\n%s\n%s\n", release, runtime.GOARCH, Names(needs))
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func unpack(ctx context.Context, o Options, missing []Need, dir string) error {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("this is not Debian or one of its kin: %w", err)
		}
	}
	lock, err := state.TakeLock(ctx, filepath.Join(o.Cache.Packages(), "lock"), func() {
		fmt.Fprintln(o.Out, "egkube: another egkube unpacks packages, waiting for it")
	})
	if err != nil {
		return err
	}
	defer lock.Release()
	if _, err := os.Stat(filepath.Join(dir, doneFile)); err == nil {
		return nil
	}
	fmt.Fprintf(o.Out, "egkube: this machine lacks %s\n", Names(missing))
	tmp, err := os.MkdirTemp(o.Cache.Packages(), "tmp-")
	if err != nil {
		return fmt.Errorf("make folder for packages: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	a := apt{dir: tmp}
	packages, err := a.resolve(ctx, missing)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "egkube: downloading with apt-get, unpacking into %s, installing nothing: %s\n", dir, strings.Join(packages, " "))
	if err := a.fetch(ctx, packages); err != nil {
		return err
	}
	root := filepath.Join(tmp, "root")
	if err := extract(ctx, filepath.Join(tmp, "debs"), root); err != nil {
		return err
	}
	err = errors.Join(os.WriteFile(filepath.Join(root, doneFile), nil, 0o644), os.Chmod(root, 0o755), os.RemoveAll(dir))
	if err != nil {
		return fmt.Errorf("keep packages: %w", err)
	}
	if err := os.Rename(root, dir); err != nil {
		return fmt.Errorf("keep packages: %w", err)
	}
	return nil
}

func extract(ctx context.Context, debs, root string) error {
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil || len(files) == 0 {
		return errors.Join(errors.New("apt-get has downloaded nothing"), err)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	for _, file := range files {
		if _, err := output(ctx, root, "dpkg-deb", "-x", file, root); err != nil {
			return err
		}
	}
	return nil
}

// output runs a program and returns what it prints; its complaints are part of
// the error.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run %s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return out.String(), nil
}
