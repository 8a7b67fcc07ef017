package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"syscall"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/control"
	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
	"egk8s.dev/egk8s/testdata/cluster/internal/sweep"
)

// downLimit is how long a daemon may take to end its cluster.
const downLimit = 60 * time.Second

func runDown(ctx context.Context, a *app, args []string) (int, error) {
	flags := flag.NewFlagSet("down", flag.ContinueOnError)
	name := flags.String("name", defaultName, "name of the cluster")
	held := flags.Bool("held", false, "the caller holds the cluster's lock (used through sudo)")
	if _, err := a.parse(flags, args, 0); err != nil {
		return exitUsage, err
	}
	if err := layout.CheckName(*name); err != nil {
		return exitUsage, usageError{err}
	}
	c := a.cache.Cluster(*name)
	if *held {
		return exitDone, sweep.All(c)
	}
	if err := a.down(ctx, c); err != nil {
		return exitError, err
	}
	return exitDone, nil
}

// down ends a cluster and returns when nothing of it is left.
func (a *app) down(ctx context.Context, c layout.Cluster) error {
	lock, err := a.lock(ctx, c)
	if err != nil {
		return err
	}
	defer lock.Release()
	if _, err := os.Stat(c.Dir); errors.Is(err, os.ErrNotExist) {
		lock.Remove()
		fmt.Fprintf(a.Err, "egkube: there is no cluster %s\n", c.Name)
		return nil
	}
	began := time.Now()
	s, err := state.Read(c.State())
	if err != nil {
		return err
	}
	if s.Running() {
		if err := stopDaemon(ctx, c, s); err != nil {
			return err
		}
	}
	if err := a.clean(c, s); err != nil {
		return err
	}
	lock.Remove()
	fmt.Fprintf(a.Err, "egkube: cluster %s is gone, nothing is left (%.1f s)\n", c.Name, time.Since(began).Seconds())
	return nil
}

// stopDaemon asks the daemon to end the cluster and waits for its own end. One
// that does not listen is killed; its children die with it.
func stopDaemon(ctx context.Context, c layout.Cluster, s *state.State) error {
	ask, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, asked := control.Post(ask, c, control.StopPath, nil)
	if asked != nil {
		asked = syscall.Kill(s.Daemon.PID, syscall.SIGTERM)
	}
	if asked != nil {
		return fmt.Errorf("end cluster %s: %w", c.Name, asked)
	}
	end := time.Now().Add(downLimit)
	for s.Running() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("end cluster %s: %w", c.Name, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			return syscall.Kill(s.Daemon.PID, syscall.SIGKILL)
		}
	}
	return nil
}

// clean removes what a cluster without a daemon has left. Only root can remove
// what root has made.
func (a *app) clean(c layout.Cluster, s *state.State) error {
	if _, err := os.Stat(c.Dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if s != nil && s.AsRoot && !a.owner.Root {
		return a.asRoot(a.In, "down", "--held", "--name", c.Name)
	}
	return sweep.All(c)
}
