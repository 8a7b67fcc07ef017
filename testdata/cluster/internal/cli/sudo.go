package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// upAsRoot runs up again with the rights of root.
func (a *app) upAsRoot(ctx context.Context, r request) (existed bool, err error) {
	s, err := state.Read(r.cluster.State())
	if err != nil {
		return false, err
	}
	if s.Running() {
		return true, a.keep(ctx, r, s)
	}
	source, err := a.source(r.source)
	if err != nil {
		return false, err
	}
	args := []string{"up", "--name", r.cluster.Name, "--nodes", strconv.Itoa(r.nodes), "--source", source}
	if r.lease {
		stop := context.AfterFunc(ctx, func() { _ = r.abandon() })
		defer stop()
		return false, a.asRoot(a.In, append(args, "--lease")...)
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return false, fmt.Errorf("make pipe: %w", err)
	}
	defer ours.Close()
	defer theirs.Close()
	stop := context.AfterFunc(ctx, func() { _ = ours.Close() })
	defer stop()
	return false, a.asRoot(theirs, append(args, "--attended")...)
}

// asRoot runs egkube through sudo, which must not ask for a password.
func (a *app) asRoot(in *os.File, args ...string) error {
	sudo, err := exec.LookPath("sudo")
	if err != nil {
		return errNeedsRoot("there is no sudo on PATH")
	}
	if err := exec.Command(sudo, "-n", "true").Run(); err != nil {
		return errNeedsRoot("sudo asks for a password")
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	all := append([]string{"-n", "--", "env", layout.CacheVariable + "=" + a.cache.Dir, self}, args...)
	cmd := exec.Command(sudo, all...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, a.Out, a.Err
	err = cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return errReported // by the inner egkube
	}
	if err != nil {
		return fmt.Errorf("run egkube %s as root: %w", args[0], err)
	}
	return nil
}

func errNeedsRoot(why string) error {
	return errors.New("real nodes need root, for network namespaces, mounts and cgroups, and " + why + ".\n" +
		"Run it as root (sudo egkube up), or take the control plane alone (egkube up --nodes 0),\n" +
		"or use a cluster of your own: kind, or any context of your kubeconfig")
}
