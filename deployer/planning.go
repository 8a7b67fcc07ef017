package deployer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/deployer/apply"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
	"egk8s.dev/egk8s/deployer/release"
	"egk8s.dev/egk8s/deployer/render"
)

// makePlan reads what was deployed and what is there, and plans.
func (d *deploy) makePlan(ctx context.Context) error {
	d.out.begin(event.Plan)
	held, err := d.store.Holder(ctx)
	switch {
	case err != nil:
		return err
	case held != nil && d.opts.DryRun == DryRunNone:
		return held
	}
	if err := d.planNow(ctx); err != nil {
		return err
	}
	if n := d.history.Newest(); n != nil && n.ByHelm() && n.Status.Pending() && d.now().Sub(n.Updated) < helmPatience {
		return &LockedError{Release: d.name, Holder: "the helm program (" + string(n.Status) + ")", Since: n.Updated, Expires: n.Updated.Add(helmPatience)}
	}
	if err := d.noteRequests(ctx); err != nil {
		return err
	}
	d.out.end(d.plan.Summary())
	return nil
}

// helmPatience is how long an operation of the helm program is taken to be running: its records name
// no holder.
const helmPatience = 10 * time.Minute

// planNow reads history, state and live objects and makes the plan from them.
func (d *deploy) planNow(ctx context.Context) error {
	if err := d.remember(ctx); err != nil {
		return err
	}
	desired := slices.Concat(d.rendered.Config, d.rendered.Objects)
	c := comparison{
		desired: desired, state: d.state, force: d.opts.ForceConflicts,
		all:    d.opts.DryRun == DryRunServer,
		byHelm: d.history.Newest() != nil && d.history.Newest().ByHelm(),
	}
	var err error
	if c.previous, err = previous(d.history, d.state, d.namespace); err != nil {
		return err
	}
	if d.plan, err = d.compare(ctx, c); err != nil {
		return err
	}
	revision := 1
	if n := d.history.Newest(); n != nil {
		revision = n.Revision + 1
	}
	d.out.update(func(h *event.Header) { h.Revision = revision })
	for _, op := range d.plan.Ops {
		if op.Err != nil {
			return apply.Explain(op.Ref, op.Err)
		}
	}
	return nil
}

// remember reads the history and the state.
func (d *deploy) remember(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { d.history, err = d.store.History(ctx); return err })
	g.Go(func() (err error) { d.state, err = d.store.State(ctx); return err })
	return g.Wait()
}

// comparison is what compare plans from.
type comparison struct {
	desired  []*unstructured.Unstructured
	previous []object.Ref
	state    *release.State
	force    bool
	byHelm   bool
	all      bool // ask the API server about new objects too
}

// compare plans the way from what is live to what is desired.
func (s *session) compare(ctx context.Context, c comparison) (plan.Plan, error) {
	live, err := s.live(ctx, c.desired, c.previous)
	if err != nil {
		return plan.Plan{}, err
	}
	in := plan.Input{
		Desired: c.desired, Live: live, Inventory: sent(c.state), Previous: c.previous, ByHelm: c.byHelm,
		// Configuration is pruned by its own rule, and data is never pruned.
		Keep: func(l plan.Live) bool { return l.Labels[render.ConfigLabel] != "" || l.Kind == "PersistentVolumeClaim" },
	}
	suspects := plan.Suspects(c.desired, live, in.Inventory)
	if c.all {
		suspects = c.desired
	}
	if in.Judged, err = s.judge(ctx, suspects, live, c.force || c.byHelm); err != nil {
		return plan.Plan{}, err
	}
	return plan.Make(in), nil
}

// sent is what is known to be in the cluster. After a run that was killed, that is only which objects:
// it may have sent other values for the same fields, which nothing but the API server can tell.
func sent(state *release.State) []plan.Sent {
	out := make([]plan.Sent, len(state.Inventory))
	for i, e := range state.Inventory {
		out[i] = plan.Sent{Ref: e.Ref, UID: e.UID}
		if state.Intent == nil {
			out[i].Sent, out[i].Owned = e.Sent, e.Owned
		}
	}
	return out
}

// live reads the metadata of the release's objects: one request per kind.
func (s *session) live(ctx context.Context, desired []*unstructured.Unstructured, previous []object.Ref) (map[object.Key]plan.Live, error) {
	kinds := map[object.Ref]bool{}
	for _, u := range desired {
		kinds[kindOf(object.Of(u))] = true
	}
	for _, ref := range previous {
		kinds[kindOf(ref)] = true
	}
	var mu sync.Mutex
	out := map[object.Key]plan.Live{}
	g, ctx := errgroup.WithContext(ctx)
	for kind := range kinds {
		g.Go(func() error {
			namespace := kind.In(s.namespace).Namespace
			list, err := s.client.ListMetadata(ctx, cluster.Selection{
				Kind: kind, Namespace: namespace, Labels: "app.kubernetes.io/instance=" + s.name,
			})
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range list {
				l := plan.LiveOf(m)
				out[l.Key()] = l
			}
			return nil
		})
	}
	return out, g.Wait()
}

func kindOf(ref object.Ref) object.Ref {
	return object.Ref{Group: ref.Group, Version: ref.Version, Kind: ref.Kind}
}

// judge lets the API server say what an apply of each object would change.
func (s *session) judge(ctx context.Context, objects []*unstructured.Unstructured, live map[object.Key]plan.Live, force bool) (map[object.Key]plan.Judgement, error) {
	const parallel = 8
	owner := live[object.Ref{Version: "v1", Kind: "ServiceAccount", Namespace: s.namespace, Name: s.name}.Key()]
	var mu sync.Mutex
	out := map[object.Key]plan.Judgement{}
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, u := range objects {
		g.Go(func() error {
			j := s.judgeOne(ctx, ownedBy(u, s.name, owner.UID), force)
			mu.Lock()
			defer mu.Unlock()
			out[object.Of(u).Key()] = j
			return nil
		})
	}
	_ = g.Wait() // refusals are in the judgements
	for _, j := range out {
		var unreachable *cluster.UnreachableError
		var forbidden *cluster.ForbiddenError
		if ctx.Err() != nil || errors.As(j.Err, &unreachable) || errors.As(j.Err, &forbidden) {
			return nil, j.Err
		}
	}
	return out, nil
}

func (s *session) judgeOne(ctx context.Context, u *unstructured.Unstructured, force bool) plan.Judgement {
	live, err := s.client.Get(ctx, object.Of(u))
	if err != nil && !cluster.IsNotFound(err) {
		return plan.Judgement{Err: err}
	}
	gone := err != nil
	result, err := apply.Send(ctx, s.client, u, cluster.ApplyOptions{Force: force, DryRun: true})
	if gone || err != nil {
		return plan.Judgement{Err: err}
	}
	return plan.Judge(live, result)
}

// ownedBy returns a config object with its owner.
func ownedBy(u *unstructured.Unstructured, owner, uid string) *unstructured.Unstructured {
	if uid == "" || !isConfig(u) {
		return u
	}
	u = u.DeepCopy()
	u.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "ServiceAccount", Name: owner, UID: types.UID(uid)}})
	return u
}

func isConfig(u *unstructured.Unstructured) bool { return u.GetLabels()[render.ConfigLabel] != "" }

// previous are the objects that earlier runs made or were about to make.
func previous(h *release.History, state *release.State, namespace string) ([]object.Ref, error) {
	var refs []object.Ref
	if n := h.Newest(); n != nil {
		objects, err := parseManifest(n.Manifest, namespace)
		if err != nil {
			return nil, fmt.Errorf("read revision %d: %w", n.Revision, err)
		}
		for _, u := range objects {
			refs = append(refs, object.Of(u))
		}
	}
	for _, e := range state.Inventory {
		refs = append(refs, e.Ref)
	}
	if state.Intent != nil {
		refs = append(refs, state.Intent.Objects...)
	}
	return refs, nil
}

// parseManifest reads the objects of a record.
func parseManifest(text, namespace string) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(text)), 4096)
	var out []*unstructured.Unstructured
	for {
		u := &unstructured.Unstructured{}
		err := decoder.Decode(&u.Object)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if len(u.Object) == 0 {
			continue
		}
		u.SetNamespace(object.Of(u).In(namespace).Namespace)
		out = append(out, u)
	}
}
