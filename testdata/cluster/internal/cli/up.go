package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"egk8s.dev/egk8s/testdata/cluster/internal/build"
	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// maxNodes is a limit of good sense; addresses would do for 200.
const maxNodes = 9

// request is the cluster that up and run want.
type request struct {
	cluster layout.Cluster
	nodes   int
	source  string
	// lease ends the cluster with the standard input, which is a pipe then;
	// abandon closes its other end.
	lease   bool
	abandon func() error
}

func runUp(ctx context.Context, a *app, args []string) (int, error) {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	nodes := flags.Int("nodes", 2, "number of nodes; 0 is the control plane alone, without root")
	name := flags.String("name", defaultName, "name of the cluster")
	source := flags.String("source", "", "folder testdata/cluster of egk8s")
	lease := flags.Bool("lease", false, "end the cluster when the standard input ends (used by run)")
	attended := flags.Bool("attended", false, "give up when the standard input ends (used through sudo)")
	if _, err := a.parse(flags, args, 0); err != nil {
		return exitUsage, err
	}
	r := request{cluster: a.cache.Cluster(*name), nodes: *nodes, source: *source, lease: *lease}
	if err := r.check(); err != nil {
		return exitUsage, usageError{err}
	}
	if *attended {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go func() {
			_, _ = io.Copy(io.Discard, a.In)
			cancel()
		}()
	}
	if _, err := a.up(ctx, r); err != nil {
		return exitError, err
	}
	return exitDone, nil
}

func (r request) check() error {
	if r.nodes < 0 || r.nodes > maxNodes {
		return fmt.Errorf("--nodes %d: want 0 to %d", r.nodes, maxNodes)
	}
	return layout.CheckName(r.cluster.Name)
}

// up makes the cluster run. It says whether it was there before.
func (a *app) up(ctx context.Context, r request) (existed bool, err error) {
	dir, err := a.build(ctx, r.source)
	if err != nil {
		return false, err
	}
	var tools state.Tools
	if r.nodes > 0 {
		if tools, err = a.tools(ctx); err != nil {
			return false, err
		}
		if !a.owner.Root {
			return a.upAsRoot(ctx, r)
		}
	}
	lock, err := a.lock(ctx, r.cluster)
	if err != nil {
		return false, err
	}
	defer lock.Release()
	s, err := state.Read(r.cluster.State())
	if err != nil {
		return false, err
	}
	if s.Running() {
		return true, a.keep(ctx, r, s)
	}
	if err := a.clean(r.cluster, s); err != nil {
		return false, err
	}
	spec := state.Spec{
		Name: r.cluster.Name, Nodes: r.nodes, Build: dir, Tools: tools, UID: a.owner.UID, GID: a.owner.GID,
	}
	err = a.start(ctx, r, spec)
	if _, gone := os.Stat(r.cluster.Dir); err != nil && errors.Is(gone, os.ErrNotExist) {
		lock.Remove()
	}
	return false, err
}

// keep is up on a cluster that runs already.
func (a *app) keep(ctx context.Context, r request, s *state.State) error {
	if s.Nodes != r.nodes {
		return fmt.Errorf("cluster %s runs already, with %d nodes instead of %d; end it first: egkube down --name %s",
			s.Name, s.Nodes, r.nodes, s.Name)
	}
	if s.Phase == state.Ready {
		fmt.Fprintf(a.Err, "egkube: cluster %s is up already, nothing to do\n", s.Name)
		return a.describe(r.cluster, s)
	}
	return a.follow(ctx, r.cluster, nil)
}

func (a *app) lock(ctx context.Context, c layout.Cluster) (*state.Lock, error) {
	if err := a.owner.MakeDir(a.cache.Clusters()); err != nil {
		return nil, err
	}
	l, err := state.TakeLock(ctx, c.Lock(), func() {
		fmt.Fprintf(a.Err, "egkube: another egkube works on cluster %s, waiting for it\n", c.Name)
	})
	if err == nil && a.owner.Root {
		err = l.Give(a.owner.UID, a.owner.GID)
	}
	return l, err
}

// describe says where the cluster is.
func (a *app) describe(c layout.Cluster, s *state.State) error {
	if s == nil {
		return errors.New("describe cluster: it has no state")
	}
	fmt.Fprintf(a.Err, "egkube: Kubernetes %s at %s, registry %s, context egkube-%s\n", build.Kubernetes, s.Server, s.Host, s.Name)
	fmt.Fprintf(a.Err, "egkube: export KUBECONFIG=%s\n", c.Kubeconfig())
	return nil
}
