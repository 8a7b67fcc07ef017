package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"

	"egk8s.dev/egk8s/testdata/cluster/internal/daemon"
	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/sandbox"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// leaseArgument makes the daemon end when its standard input does.
const leaseArgument = "lease"

// runDaemon holds a cluster. It is started by up; its output is the log.
func runDaemon(ctx context.Context, a *app, args []string) (int, error) {
	if len(args) == 0 {
		return exitUsage, usageError{fmt.Errorf("daemon: no state folder")}
	}
	dir := filepath.Clean(args[0])
	o := daemon.Options{
		Cluster: layout.Cluster{Name: filepath.Base(dir), Dir: dir},
		Log:     slog.New(slog.NewTextHandler(a.Err, nil)),
	}
	if len(args) > 1 && args[1] == leaseArgument {
		o.Lease = a.In
	}
	if err := daemon.Run(ctx, o); err != nil {
		return exitError, err
	}
	return exitDone, nil
}

// runSandbox runs the programs of a sandbox. Its standard input is a life line:
// the first line starts the programs, the end stops them.
func runSandbox(ctx context.Context, a *app, args []string) (int, error) {
	if len(args) != 1 {
		return exitUsage, usageError{fmt.Errorf("sandbox: want one file")}
	}
	// The kernel ends the programs when the thread that made them ends, and this
	// goroutine makes them.
	runtime.LockOSThread()
	var spec sandbox.Spec
	if err := state.ReadJSON(args[0], &spec); err != nil {
		return exitError, err
	}
	in := bufio.NewReader(a.In)
	if _, err := in.ReadString('\n'); err != nil {
		return exitDone, nil // the daemon has changed its mind
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		stop()
	}()
	if err := sandbox.Run(ctx, spec, a.Out); err != nil {
		return exitError, err
	}
	return exitDone, nil
}
