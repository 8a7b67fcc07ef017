package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

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
		args = append(args, "--lease")
	}
	return false, a.asRoot(args...)
}

// asRoot runs egkube through sudo, which must not ask for a password.
func (a *app) asRoot(args ...string) error {
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
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.In, a.Out, a.Err
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run egkube %s as root: %w", args[0], err)
	}
	return nil
}

func errNeedsRoot(why string) error {
	return errors.New("real nodes need root, for network namespaces, mounts and cgroups, and " + why + ".\n" +
		"Run it as root (sudo egkube up), or take the control plane alone (egkube up --nodes 0),\n" +
		"or use a cluster of your own: kind, or any context of your kubeconfig")
}
