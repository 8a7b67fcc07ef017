package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/image"
	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// Kubernetes is the version that the programs say they are.
const Kubernetes = "v1.37.1"

// Images of the cluster's own, packed beside the programs.
const (
	PauseImage   = "egk8s.dev/pause:1"
	CoreDNSImage = "egk8s.dev/coredns:1"
)

// links are the names under which the Kubernetes binary is called.
func links() []string {
	return []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"}
}

// Options of a build.
type Options struct {
	Source string
	Cache  layout.Cache
	Out    io.Writer
	// Credential, when set, is the user that compiles.
	Credential *syscall.Credential
	Home       string
}

// Ensure returns the folder of the programs, compiled if they are not there yet.
func Ensure(ctx context.Context, o Options) (string, error) {
	key, err := Key(o.Source)
	if err != nil {
		return "", err
	}
	dir := o.Cache.Build(key)
	if Complete(dir) {
		return dir, nil
	}
	lock, err := state.TakeLock(ctx, o.Cache.Build("lock"), func() {
		fmt.Fprintln(o.Out, "egkube: another build is running, waiting for it")
	})
	if err != nil {
		return "", err
	}
	defer lock.Release()
	if Complete(dir) {
		return dir, nil
	}
	fmt.Fprintf(o.Out, `egkube: compiling Kubernetes %s (etcd, kube-apiserver, kube-controller-manager,
egkube: kube-scheduler, kubelet, kube-proxy, kubectl in one program) and CoreDNS
egkube:   from   %s
egkube:   into   %s (about 220 MB)
egkube:   costs  11 to 27 CPU-minutes and 4 GB of Go build cache the first time,
egkube:          20 CPU-seconds when the packages are compiled already
`, Kubernetes, o.Source, dir)
	began := time.Now()
	if err := compile(ctx, o, dir); err != nil {
		return "", err
	}
	fmt.Fprintf(o.Out, "egkube: compiled in %.0f s\n", time.Since(began).Seconds())
	return dir, prune(o.Cache)
}

// kept is how many builds are kept. A build that a cluster runs from is never
// removed.
const kept = 3

// prune removes old builds.
func prune(cache layout.Cache) error {
	done, err := filepath.Glob(cache.Build(filepath.Join("*", doneFile)))
	if err != nil {
		return fmt.Errorf("list builds: %w", err)
	}
	age := map[string]time.Time{}
	for _, file := range done {
		if info, err := os.Stat(file); err == nil {
			age[filepath.Dir(file)] = info.ModTime()
		}
	}
	states, err := filepath.Glob(filepath.Join(cache.Clusters(), "*", "state.json"))
	if err != nil {
		return fmt.Errorf("list clusters: %w", err)
	}
	for _, file := range states {
		if s, err := state.Read(file); err == nil && s != nil {
			delete(age, s.Build)
		}
	}
	dirs := slices.SortedFunc(maps.Keys(age), func(a, b string) int { return age[b].Compare(age[a]) })
	for _, dir := range dirs[min(kept, len(dirs)):] {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove old build: %w", err)
		}
	}
	return nil
}

// compile fills a folder beside the final one and then renames it, so that a
// build that was killed is never taken for a whole one.
func compile(ctx context.Context, o Options, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("make build folder: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "tmp-")
	if err != nil {
		return fmt.Errorf("make build folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if o.Credential != nil {
		if err := os.Chown(tmp, int(o.Credential.Uid), int(o.Credential.Gid)); err != nil {
			return fmt.Errorf("make build folder: %w", err)
		}
	}
	if err := goBuild(ctx, o, tmp); err != nil {
		return err
	}
	if err := finish(tmp); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("replace build folder: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return fmt.Errorf("replace build folder: %w", err)
	}
	return nil
}

func goBuild(ctx context.Context, o Options, dir string) error {
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", strings.Join(linkerFlags(), " "), "-o", dir + "/"}
	for _, program := range Programs() {
		args = append(args, "./"+program)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = o.Source
	cmd.Stdout, cmd.Stderr = o.Out, o.Out
	// Other flags would mean another compilation of everything.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if o.Credential != nil {
		cmd.Env = append(cmd.Env, "HOME="+o.Home)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: o.Credential}
	}
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("compile Kubernetes: there is no go on PATH (sudo shortens PATH); run egkube build as yourself first")
	}
	if err != nil {
		return fmt.Errorf("compile Kubernetes with go build in %s: %w", o.Source, err)
	}
	return nil
}

// finish adds the links, the images and the mark of a complete build.
func finish(dir string) error {
	for _, name := range links() {
		if err := os.Symlink("kubernetes", filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("link programs: %w", err)
		}
	}
	images := []image.Options{
		{Binary: filepath.Join(dir, "pause"), Name: PauseImage, User: "65534:65534"},
		{Binary: filepath.Join(dir, "coredns"), Name: CoreDNSImage},
	}
	for _, i := range images {
		if err := image.WriteFile(i, i.Binary+".tar"); err != nil {
			return err
		}
	}
	err := os.WriteFile(filepath.Join(dir, doneFile), []byte(Kubernetes+"\n"), 0o644)
	return errors.Join(err, os.Chmod(dir, 0o755))
}

// linkerFlags strip the binary and give it its version.
func linkerFlags() []string {
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, set := range []string{
			"gitVersion=" + Kubernetes, "gitMajor=1", "gitMinor=37", "gitTreeState=clean",
			"gitCommit=0000000000000000000000000000000000000000", "buildDate=1970-01-01T00:00:00Z",
		} {
			flags = append(flags, "-X", pkg+"."+set)
		}
	}
	return flags
}
