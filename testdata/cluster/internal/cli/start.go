package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/network"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// start makes a daemon for the cluster and waits until it is ready.
func (a *app) start(ctx context.Context, r request, spec state.Spec) error {
	if err := a.owner.MakeDir(r.cluster.Dir); err != nil {
		return err
	}
	subnet, err := state.FreeSubnet(a.cache.Clusters(), network.Subnets)
	if err != nil {
		return err
	}
	spec.Subnet = subnet
	if err := state.WriteJSON(r.cluster.Spec(), spec); err != nil {
		return err
	}
	what := fmt.Sprintf("%d nodes", r.nodes)
	if r.nodes == 0 {
		what = "control plane only"
	}
	fmt.Fprintf(a.Err, "egkube: starting cluster %s (%s)\n", r.cluster.Name, what)
	cmd, err := a.daemon(r)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	err = a.follow(ctx, r.cluster, ended)
	if ctx.Err() != nil {
		// Interrupted while waiting: what was begun is taken back.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		return fmt.Errorf("start cluster %s: interrupted, everything is ended again", r.cluster.Name)
	}
	return err
}

// daemon starts the process that holds the cluster, in a session of its own.
func (a *app) daemon(r request) (*exec.Cmd, error) {
	log, err := os.Create(r.cluster.Log())
	if err != nil {
		return nil, fmt.Errorf("start daemon: %w", err)
	}
	defer log.Close()
	cmd := exec.Command("/proc/self/exe", "daemon", r.cluster.Dir)
	cmd.Args[0] = "egkube"
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), r.cluster.Marker())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if r.lease {
		cmd.Args = append(cmd.Args, leaseArgument)
		cmd.Stdin = a.In
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start daemon: %w", err)
	}
	return cmd, nil
}

// follow prints the steps of a cluster that starts, until it is ready. ended
// may be nil when the daemon is somebody else's child.
func (a *app) follow(ctx context.Context, c layout.Cluster, ended <-chan struct{}) error {
	printed := 0
	for {
		over := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ended:
			over = true
		case <-time.After(50 * time.Millisecond):
		}
		s, err := state.Read(c.State())
		if err != nil {
			return err
		}
		if _, gone := os.Stat(c.Dir); over && errors.Is(gone, os.ErrNotExist) {
			return fmt.Errorf("start cluster %s: it was asked to end before it was ready", c.Name)
		}
		if s == nil {
			if over {
				return failure(c, nil)
			}
			continue
		}
		for ; printed < len(s.Steps); printed++ {
			fmt.Fprintf(a.Err, "egkube: %5.1f s  %s\n", s.Steps[printed].Seconds, s.Steps[printed].Name)
		}
		switch {
		case s.Phase == state.Ready:
			return a.describe(c, s)
		case s.Phase == state.Failed, over, !s.Running():
			return failure(c, s)
		}
	}
}

// failure says why a cluster did not start, with the end of the log that knows.
func failure(c layout.Cluster, s *state.State) error {
	reason := "its daemon ended without a word"
	if s != nil && s.Error != "" {
		reason = s.Error
	}
	text := fmt.Sprintf("start cluster %s: %s", c.Name, reason)
	file := c.Log()
	if _, log, ok := strings.Cut(reason, "its log is "); ok {
		file = strings.TrimSpace(log)
	}
	if tail := lastLines(file, 8); tail != "" {
		text += fmt.Sprintf("\n%s ends with:\n%s", filepath.Base(file), tail)
	}
	return errors.New(text + "\nall logs: " + c.Logs())
}

func lastLines(file string, n int) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	const most = 8 << 10
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
