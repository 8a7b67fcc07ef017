package rollout

import (
	"context"
	"io"
	"reflect"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
)

// Cluster is what watching needs of the API server.
type Cluster interface {
	Follow(context.Context, cluster.Selection, cluster.Observer) error
	PodLogs(ctx context.Context, namespace, pod string, opts cluster.LogOptions) (io.ReadCloser, error)
}

// Options say what to watch.
type Options struct {
	Namespace  string
	Deployment string
	Selector   string // of its pods, as a label selector
	Generation int64  // that the rollout is about; 0: whatever there is
	Now        func() time.Time
	Begun      time.Time           // Snapshot.Begun
	Before     map[types.UID]int32 // Snapshot.Before
	Glance     bool                // Snapshot.Glance
	// Seen is called for every view that is new or has changed; a removed object has State Gone.
	// It is never called two at the same time. May be nil.
	Seen func(View)
	// Config is the folder of the user's config files, to which positions in log lines are mapped.
	Config string
	Mask   func(string) string // removes secrets from log lines; may be nil
	// Ask asks a pod that runs what it says of itself; false: it does not answer. May be nil.
	Ask func(ctx context.Context, pod string) (Answer, bool)
}

// Wait watches until the rollout is complete or cannot succeed, or ctx ends, and returns the last
// verdict, with evidence when it failed. The error is why watching was impossible, or the end of ctx.
func Wait(ctx context.Context, c Cluster, opts Options) (Verdict, error) {
	var last Verdict
	err := Track(ctx, c, opts, func(v Verdict) bool {
		last = v
		return v.Phase == Progressing
	})
	if last.Phase == Failed {
		Evidence(ctx, c, opts, last.Causes)
	}
	return last, err
}

// Track watches and gives every verdict to next until that returns false or ctx ends.
func Track(ctx context.Context, c Cluster, opts Options, next func(Verdict) bool) error {
	watching, stop := context.WithCancel(ctx)
	s := newStore(opts.Deployment)
	g, watching := errgroup.WithContext(watching)
	follow(watching, g, c, opts, s)
	t := &tracker{opts: opts, store: s, shown: map[string]View{}, reader: &reader{cluster: c, opts: opts, store: s, group: g, asked: map[Fact]bool{}}}
	g.Go(func() error {
		defer stop()
		return t.run(watching, next)
	})
	err := g.Wait()
	if err == nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// follow starts the watches. Events are a help: without the right to read them the rest goes on.
func follow(ctx context.Context, g *errgroup.Group, c Cluster, opts Options, s *store) {
	kind := func(group, name string) object.Ref { return object.Ref{Group: group, Version: "v1", Kind: name} }
	watch := func(sel cluster.Selection, o cluster.Observer) {
		sel.Namespace = opts.Namespace
		g.Go(func() error { return c.Follow(ctx, sel, o) })
	}
	watch(cluster.Selection{Kind: kind("apps", "Deployment"), Fields: "metadata.name=" + opts.Deployment},
		&table[deployment]{store: s, rows: s.deployments, first: s.count})
	watch(cluster.Selection{Kind: kind("apps", "ReplicaSet"), Labels: opts.Selector},
		&table[replicaSet]{store: s, rows: s.replicaSets, first: s.count})
	watch(cluster.Selection{Kind: kind("", "Pod"), Labels: opts.Selector},
		&table[pod]{store: s, rows: s.pods, first: s.count})
	g.Go(func() error {
		sel := cluster.Selection{Kind: kind("", "Event"), Namespace: opts.Namespace}
		_ = c.Follow(ctx, sel, &table[kubeEvent]{store: s, rows: s.events})
		return nil
	})
}

// tracker turns changes of the store into verdicts.
type tracker struct {
	opts   Options
	store  *store
	reader *reader
	shown  map[string]View
	since  map[string]time.Time
}

func (t *tracker) run(ctx context.Context, next func(Verdict) bool) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.store.changed:
		case <-timer.C:
		}
		if !t.store.complete() {
			continue
		}
		now := t.opts.Now()
		snap := t.store.snapshot(now, t.opts.Generation, t.since)
		snap.Glance, snap.Begun, snap.Before = t.opts.Glance, t.opts.Begun, t.opts.Before
		v := Judge(snap)
		t.remember(v.Marks, now)
		t.show(v.Views)
		for _, f := range v.Lacks {
			t.reader.read(ctx, f)
		}
		if !next(v) {
			return nil
		}
		if !v.Next.IsZero() {
			timer.Reset(max(v.Next.Sub(now), 20*time.Millisecond))
		}
	}
}

// remember keeps since when each mark has been there, and forgets those that are gone.
func (t *tracker) remember(marks []string, now time.Time) {
	since := make(map[string]time.Time, len(marks))
	for _, m := range marks {
		since[m] = now
		if first, ok := t.since[m]; ok {
			since[m] = first
		}
	}
	t.since = since
}

func (t *tracker) show(views []View) {
	if t.opts.Seen == nil {
		return
	}
	there := map[string]bool{}
	for _, v := range views {
		there[v.Object] = true
		if !reflect.DeepEqual(t.shown[v.Object], v) {
			t.shown[v.Object] = v
			t.opts.Seen(v)
		}
	}
	for name, v := range t.shown {
		if !there[name] {
			delete(t.shown, name)
			t.opts.Seen(View{Object: name, Parent: v.Parent, State: event.Gone})
		}
	}
}

// Evidence adds the last log lines to the first causes, and where in the user's files they point. It
// takes at most 5 seconds, also when ctx has ended.
func Evidence(ctx context.Context, c Cluster, opts Options, causes []event.Cause) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	const most = 3
	for i := range causes[:min(most, len(causes))] {
		cause := &causes[i]
		name, isPod := strings.CutPrefix(cause.Object, "Pod/")
		if !isPod || cause.Container == "" || cause.ExitCode == nil && cause.Code != "probe-failed" {
			continue
		}
		if cause.Code == "probe-failed" && cause.ExitCode == nil && opts.Ask != nil {
			if a, ok := opts.Ask(ctx, name); ok && a.Reason != "" {
				cause.Message = "the gateway runs and is not ready: " + a.Reason
			}
		}
		cause.Logs = logLines(ctx, c, opts, name, cause)
		locate(cause, opts.Config)
	}
}

// logLines reads the end of a container's log: of the run before when the newest one says nothing.
func logLines(ctx context.Context, c Cluster, opts Options, pod string, cause *event.Cause) []string {
	for _, previous := range []bool{cause.Previous, !cause.Previous} {
		stream, err := c.PodLogs(ctx, opts.Namespace, pod, cluster.LogOptions{
			Container: cause.Container, Previous: previous, Tail: maxLines,
		})
		if err != nil {
			continue
		}
		raw, err := io.ReadAll(io.LimitReader(stream, 1<<20))
		_ = stream.Close()
		if lines := clean(string(raw), opts.Mask); err == nil && len(lines) > 0 {
			cause.Previous = previous
			return lines
		}
	}
	return nil
}
