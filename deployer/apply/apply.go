package apply

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
)

// handOver is the field manager that keeps what egk8s gives up until somebody else takes it.
const handOver = "egk8s-handover"

// parallel is how many requests of one stage are under way at the same time.
const parallel = 8

// Cluster is what a run needs of the API server.
type Cluster interface {
	Apply(context.Context, *unstructured.Unstructured, cluster.ApplyOptions) (*unstructured.Unstructured, error)
	Get(context.Context, object.Ref) (*unstructured.Unstructured, error)
	Delete(context.Context, object.Ref, types.UID) error
	TakeOver(ctx context.Context, live *unstructured.Unstructured, managers []string) error
}

// Options are the choices of a run.
type Options struct {
	Force bool // take over fields that others own
	// Owner is the ServiceAccount that owns the objects for which Owned is true.
	Owner string
	Owned func(*unstructured.Unstructured) bool
	// Done is called for every operation that is done, never two at the same time.
	Done func(plan.Op)
}

// Outcome is what a run did.
type Outcome struct {
	Done      []plan.Op // with the action that really happened
	Pending   []plan.Op // not sent any more, or refused
	Inventory []plan.Sent
	OwnerUID  string
	// Deployment is the generation of every workload that was applied, by name.
	Generation map[string]int64
}

// Run applies the plan, stage after stage, parallel within a stage. It stops after the first stage
// in which an object was refused; the error is a ConflictError, an ImmutableError, a RefusedError,
// or what cluster returns. The Outcome is valid beside an error.
func Run(ctx context.Context, c Cluster, p plan.Plan, opts Options) (*Outcome, error) {
	r := &run{cluster: c, opts: opts, out: &Outcome{Generation: map[string]int64{}}}
	for _, op := range p.Ops {
		if op.Kind == "ServiceAccount" && op.Name == opts.Owner {
			r.out.OwnerUID = op.UID
		}
	}
	var failed error
	for _, group := range stages(p.Ops) {
		if failed == nil && ctx.Err() != nil {
			failed = context.Cause(ctx)
		}
		if failed != nil {
			r.out.Pending = append(r.out.Pending, group...)
			continue
		}
		failed = r.stage(ctx, group)
	}
	return r.out, failed
}

// stages cuts the operations, which are in order, into groups that may run at the same time.
func stages(ops []plan.Op) [][]plan.Op {
	var groups [][]plan.Op
	last := -1
	for _, op := range ops {
		stage := object.Stage(op.GVK().GroupKind())
		if op.Action == event.Deleted {
			stage = object.Stages
		}
		if stage != last {
			groups, last = append(groups, nil), stage
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], op)
	}
	return groups
}

type run struct {
	cluster Cluster
	opts    Options

	mu  sync.Mutex
	out *Outcome
}

// stage runs a group to its end: an object that is refused does not cut off those beside it.
func (r *run) stage(ctx context.Context, group []plan.Op) error {
	errs := make([]error, len(group))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, op := range group {
		g.Go(func() error {
			errs[i] = r.op(ctx, op)
			if errs[i] != nil {
				r.mu.Lock()
				r.out.Pending = append(r.out.Pending, op)
				r.mu.Unlock()
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs, in the order of the group
	return errors.Join(errs...)
}

func (r *run) op(ctx context.Context, op plan.Op) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch op.Action { //nolint:exhaustive // the others are applied below
	case event.Unchanged:
		r.finish(op, &op.Entry)
		return nil
	case event.Deleted:
		if err := r.cluster.Delete(ctx, op.Ref, types.UID(op.UID)); err != nil {
			return explain(op.Ref, err)
		}
		r.finish(op, nil)
		return nil
	}
	obj := r.owned(op.Object)
	if len(op.TakeOver) > 0 {
		if err := r.takeOver(ctx, op); err != nil {
			return err
		}
	}
	live, err := r.sendWhole(ctx, op, obj)
	if err != nil {
		return explain(op.Ref, err)
	}
	entry := plan.Sent{Ref: op.Ref, UID: string(live.GetUID()), Sent: op.Hash, Owned: plan.OwnedHash(live.GetManagedFields())}
	r.mu.Lock()
	if op.Kind == "ServiceAccount" && op.Name == r.opts.Owner {
		r.out.OwnerUID = entry.UID
	}
	r.out.Generation[op.String()] = live.GetGeneration()
	r.mu.Unlock()
	r.finish(op, &entry)
	return nil
}

// sendWhole applies an object, and the part of it that another manager keeps.
func (r *run) sendWhole(ctx context.Context, op plan.Op, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if op.HandOver == nil {
		return r.send(ctx, obj, "")
	}
	if op.Action == event.Created {
		if _, err := r.send(ctx, obj, ""); err != nil {
			return nil, err
		}
		return r.send(ctx, op.HandOver, handOver)
	}
	if _, err := r.send(ctx, op.HandOver, handOver); err != nil {
		return nil, err
	}
	return r.send(ctx, obj, "")
}

func (r *run) takeOver(ctx context.Context, op plan.Op) error {
	err := r.repeat(ctx, func() error { // also after a lost answer: what is taken over already needs no patch
		live, err := r.cluster.Get(ctx, op.Ref)
		if err != nil {
			return err
		}
		return r.cluster.TakeOver(ctx, live, op.TakeOver)
	})
	return explain(op.Ref, err)
}

func (r *run) finish(op plan.Op, entry *plan.Sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.Done = append(r.out.Done, op)
	if entry != nil && entry.UID != "" {
		r.out.Inventory = append(r.out.Inventory, *entry)
	}
	if r.opts.Done != nil {
		r.opts.Done(op)
	}
}

// owned returns the object with its owner, where it has one.
func (r *run) owned(u *unstructured.Unstructured) *unstructured.Unstructured {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out.OwnerUID == "" || r.opts.Owned == nil || !r.opts.Owned(u) {
		return u
	}
	u = u.DeepCopy()
	u.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: "v1", Kind: "ServiceAccount", Name: r.opts.Owner, UID: types.UID(r.out.OwnerUID),
	}})
	return u
}

// rounds is how often a write is sent that meets changes by others.
const rounds = 5

// send applies one object. An apply names no version of the object: one that the API server could not merge into
// an object that others change at the same moment may be repeated. Conflicts about fields are no such thing.
func (r *run) send(ctx context.Context, u *unstructured.Unstructured, manager string) (live *unstructured.Unstructured, err error) {
	err = r.repeat(ctx, func() error {
		live, err = Send(ctx, r.cluster, u, cluster.ApplyOptions{Force: r.opts.Force, Manager: manager})
		return err
	})
	return live, err
}

// Sender is what Send needs of the API server.
type Sender interface {
	Apply(context.Context, *unstructured.Unstructured, cluster.ApplyOptions) (*unstructured.Unstructured, error)
}

// Send applies one object. What was kept for an autoscaler that is gone is taken back: it was ours.
func Send(ctx context.Context, c Sender, u *unstructured.Unstructured, opts cluster.ApplyOptions) (*unstructured.Unstructured, error) {
	live, err := c.Apply(ctx, u, opts)
	if err != nil && !opts.Force && onlyOurs(err) {
		opts.Force = true
		return c.Apply(ctx, u, opts)
	}
	return live, err
}

// repeat does a write again while others changed the object meanwhile.
func (r *run) repeat(ctx context.Context, write func() error) error {
	delay := 50 * time.Millisecond
	for round := 1; ; round++ {
		err := write()
		if err == nil || round == rounds || !outrun(err) {
			return err
		}
		t := time.NewTimer(delay + rand.N(delay)) //nolint:gosec // jitter, not a secret
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
		delay *= 2
	}
}

// Entries sorts an inventory, so that equal ones are equal bytes.
func Entries(inventory []plan.Sent) []plan.Sent {
	out := slices.Clone(inventory)
	slices.SortFunc(out, func(a, b plan.Sent) int {
		if c := object.Stage(a.GVK().GroupKind()) - object.Stage(b.GVK().GroupKind()); c != 0 {
			return c
		}
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	return out
}
