// Package daemon is the one process that holds a cluster: every other process of
// the cluster is its child and ends with it.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/kube"
	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/network"
	"egk8s.dev/egk8s/testdata/cluster/internal/pki"
	"egk8s.dev/egk8s/testdata/cluster/internal/process"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
	"egk8s.dev/egk8s/testdata/cluster/internal/sweep"
)

// startLimit is how long a cluster may take to become ready.
const startLimit = 4 * time.Minute

// Options of a daemon.
type Options struct {
	Cluster layout.Cluster
	// Lease, when set, ends the cluster when it ends.
	Lease io.Reader
	Log   *slog.Logger
}

type daemon struct {
	cluster layout.Cluster
	spec    state.Spec
	ranges  network.Addresses
	log     *slog.Logger
	began   time.Time
	pki     pki.Files
	client  *kube.Client
	host    hostSide
	// space is the control plane's network, when it has one of its own.
	space *network.Namespace

	mu    sync.Mutex
	state state.State
	plane *box
	nodes []*node
	// broken gets the first end of a sandbox that nobody asked for.
	broken chan error
}

// Run brings the cluster up and holds it until the context or the lease ends, a
// stop is asked for through the control socket, or a part of it breaks. It
// leaves nothing but, after a failure, the state and the logs.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d, err := newDaemon(o)
	if err != nil {
		return err
	}
	if o.Lease != nil {
		go func() {
			_, _ = io.Copy(io.Discard, o.Lease)
			d.log.Info("the command that wanted this cluster has ended")
			cancel()
		}()
	}
	stopControl, err := d.serveControl(ctx, cancel)
	if err != nil {
		return err
	}
	defer stopControl()
	err = d.start(ctx)
	if err == nil {
		d.setPhase(state.Ready, nil)
		err = d.hold(ctx)
	}
	if ctx.Err() != nil {
		// Whatever failed, it failed because the end was asked for.
		err = nil
	}
	return d.end(err)
}

func newDaemon(o Options) (*daemon, error) {
	d := &daemon{cluster: o.Cluster, log: o.Log, began: time.Now(), broken: make(chan error, 8)}
	if err := state.ReadJSON(o.Cluster.Spec(), &d.spec); err != nil {
		return nil, err
	}
	ranges, err := network.NewAddresses(d.spec.Subnet)
	if err != nil {
		return nil, err
	}
	self, err := process.Self()
	if err != nil {
		return nil, err
	}
	d.ranges = ranges
	d.pki = pki.Files{Dir: o.Cluster.PKI()}
	d.state = state.State{
		Name: d.spec.Name, Nodes: d.spec.Nodes, Subnet: d.spec.Subnet, Phase: state.Starting, Daemon: self,
		Build: d.spec.Build, AsRoot: os.Geteuid() == 0, Started: d.began.UTC().Format(time.RFC3339),
	}
	if err := os.MkdirAll(o.Cluster.Logs(), 0o755); err != nil {
		return nil, fmt.Errorf("make folder for logs: %w", err)
	}
	return d, state.WriteJSON(o.Cluster.State(), d.state)
}

func (d *daemon) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	finished := make(chan error, 1)
	go func() { finished <- d.bringUp(ctx) }()
	select {
	case err := <-finished:
		return err
	case err := <-d.broken:
		fail(err)
		d.log.Info("start given up", "waiting", <-finished)
		return err
	}
}

// hold returns when the context ends or a sandbox does.
func (d *daemon) hold(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.broken:
		return err
	}
}

// watch reports the end of a sandbox.
func (d *daemon) watch(b *box) {
	go func() {
		<-b.done
		err := b.err
		if err == nil {
			err = fmt.Errorf("%s ended", b.name)
		}
		select {
		case d.broken <- err:
		default:
		}
	}()
}

// end stops everything, nodes first, and removes what is left of the cluster.
func (d *daemon) end(cause error) error {
	d.setPhase(state.Stopping, cause)
	var all sync.WaitGroup
	for _, n := range d.nodes {
		all.Go(n.box.destroy)
	}
	all.Wait()
	if d.plane != nil {
		d.plane.stop()
	}
	d.host.close()
	d.closeSpaces()
	var err error
	if cause == nil {
		err = sweep.All(d.cluster)
	} else {
		err = sweep.KeepLogs(d.cluster)
		d.setPhase(state.Failed, cause)
	}
	return errors.Join(cause, err)
}

// closeSpaces lets the network namespaces go, which end with that.
func (d *daemon) closeSpaces() {
	if d.space != nil {
		_ = d.space.Close()
	}
	for _, n := range d.nodes {
		_ = n.space.Close()
	}
}

// step notes that a part of the start is done.
func (d *daemon) step(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	seconds := time.Since(d.began).Seconds()
	d.state.Steps = append(d.state.Steps, state.Step{Name: name, Seconds: seconds})
	d.log.Info("step", "name", name, "seconds", seconds)
	d.save()
}

func (d *daemon) setPhase(p state.Phase, cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state.Phase = p
	if cause != nil {
		d.state.Error = cause.Error()
	}
	d.log.Info("phase", "phase", p, "error", cause)
	d.save()
}

func (d *daemon) save() {
	if err := state.WriteJSON(d.cluster.State(), d.state); err != nil {
		d.log.Error("write state", "error", err)
	}
}
