package rollout

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// reader reads facts that a verdict lacks, each once: most are watched from then on. One that may not be read
// is known as such and asked for no more.
type reader struct {
	cluster Cluster
	opts    Options
	store   *store
	group   *errgroup.Group
	asked   map[Fact]bool
}

func (r *reader) read(ctx context.Context, f Fact) {
	if r.asked[f] {
		return
	}
	r.asked[f] = true
	s, o := r.store, r.opts
	core := func(kind string) object.Ref { return object.Ref{Version: "v1", Kind: kind} }
	done := func() { s.learn(f, true) }
	if name, ok := f.node(); ok {
		r.follow(ctx, f, cluster.Selection{Kind: core("Node"), Fields: "metadata.name=" + name},
			&table[node]{store: s, rows: s.node(name), first: done})
		return
	}
	if name, ok := f.pod(); ok {
		r.ask(ctx, f, name)
		return
	}
	switch f {
	case Claims:
		r.follow(ctx, f, cluster.Selection{Kind: core("PersistentVolumeClaim"), Namespace: o.Namespace},
			&table[claim]{store: s, rows: s.claims, first: done})
	case Namespace:
		r.follow(ctx, f, cluster.Selection{Kind: core("Namespace"), Fields: "metadata.name=" + o.Namespace},
			&table[namespace]{store: s, rows: s.namespaces, first: done})
	case Endpoints:
		var listed atomic.Int32
		both := func() {
			if listed.Add(1) == 2 {
				done()
			}
		}
		r.follow(ctx, f, cluster.Selection{Kind: core("Service"), Namespace: o.Namespace, Fields: "metadata.name=" + o.Deployment},
			&table[service]{store: s, rows: s.services, first: both})
		r.follow(ctx, f, cluster.Selection{
			Kind:      object.Ref{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"},
			Namespace: o.Namespace, Labels: serviceLabel + "=" + o.Deployment,
		}, &table[endpointSlice]{store: s, rows: s.slices, first: both})
	}
}

// follow watches; the error of a watch is that it may not be, which is known then.
func (r *reader) follow(ctx context.Context, f Fact, sel cluster.Selection, o cluster.Observer) {
	r.group.Go(func() error {
		if r.cluster.Follow(ctx, sel, o) != nil {
			r.store.learn(f, false)
		}
		return nil
	})
}

// ask asks a pod once.
func (r *reader) ask(ctx context.Context, f Fact, pod string) {
	if r.opts.Ask == nil {
		r.store.learn(f, false)
		return
	}
	r.group.Go(func() error {
		a, ok := r.opts.Ask(ctx, pod)
		if ok {
			r.store.answer(pod, a)
		}
		r.store.learn(f, ok)
		return nil
	})
}
