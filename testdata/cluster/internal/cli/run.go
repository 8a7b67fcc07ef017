package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// KubectlVariable tells a command that run started where kubectl is.
const KubectlVariable = "EGK8S_TEST_KUBECTL"

// NameVariable tells it the cluster's name, ProgramVariable where egkube is.
const (
	NameVariable    = "EGK8S_TEST_CLUSTER"
	ProgramVariable = "EGK8S_TEST_EGKUBE"
)

// exitSignal is added to a signal's number, as shells do.
const exitSignal = 128

// runRun runs a command against a cluster of its own. A cluster that was named
// and runs already is used and left running.
func runRun(ctx context.Context, a *app, args []string) (int, error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	nodes := flags.Int("nodes", 2, "number of nodes; 0 is the control plane alone, without root")
	name := flags.String("name", "", "name of the cluster; by default a new one is made for this run")
	source := flags.String("source", "", "folder testdata/cluster of egk8s")
	rest, err := a.parse(flags, args, -1)
	if err != nil {
		return exitUsage, err
	}
	if len(rest) == 0 {
		return exitUsage, usageError{errors.New("run: no command after --")}
	}
	if *name == "" {
		*name = "run-" + strconv.Itoa(os.Getpid())
	}
	r := request{cluster: a.cache.Cluster(*name), nodes: *nodes, source: *source, lease: true}
	if err := r.check(); err != nil {
		return exitUsage, usageError{err}
	}
	return a.runWith(ctx, r, rest)
}

// runWith holds the lease: the daemon's standard input is a pipe whose other end
// only this process has, so that even a kill of this process ends the cluster.
func (a *app) runWith(ctx context.Context, r request, argv []string) (int, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return exitError, fmt.Errorf("make lease: %w", err)
	}
	defer ours.Close()
	inner := *a
	inner.In = theirs
	r.abandon = ours.Close
	existed, err := inner.up(ctx, r)
	err = errors.Join(err, theirs.Close())
	if !existed {
		defer func() { _ = a.down(context.WithoutCancel(ctx), r.cluster) }()
	}
	if ctx.Err() != nil {
		return exitSignal + int(syscall.SIGINT), err
	}
	if err != nil {
		return exitError, err
	}
	s, err := state.Read(r.cluster.State())
	if err != nil || s == nil {
		return exitError, errors.Join(errors.New("the cluster has vanished"), err)
	}
	return a.command(r, s, argv)
}

// command runs the command, hands signals on, and returns its exit code.
func (a *app) command(r request, s *state.State, argv []string) (int, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.In, a.Out, a.Err
	self, err := os.Executable()
	if err != nil {
		return exitError, fmt.Errorf("find own program: %w", err)
	}
	cmd.Env = append(os.Environ(),
		"KUBECONFIG="+r.cluster.Kubeconfig(),
		KubectlVariable+"="+filepath.Join(s.Build, "kubectl"),
		NameVariable+"="+s.Name,
		ProgramVariable+"="+self,
	)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return exitError, fmt.Errorf("run %s: %w", argv[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s)
		case err := <-ended:
			return exitCode(argv[0], cmd, err)
		}
	}
}

func exitCode(name string, cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return exitError, fmt.Errorf("run %s: %w", name, err)
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return exitSignal + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}
