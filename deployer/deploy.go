package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/apply"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/evidence"
	"egk8s.dev/egk8s/deployer/image"
	"egk8s.dev/egk8s/deployer/plan"
	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/release"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/deployer/rollout"
	"egk8s.dev/egk8s/gateway/offline"
)

// ErrDetached as the cause of a cancelled context (context.WithCancelCause) says that the user
// stopped watching: the outcome is Unfinished, not Interrupted.
var ErrDetached = errors.New("stopped watching; the rollout goes on in the cluster")

// defaultTimeout bounds a deploy that names no time limit.
const defaultTimeout = 5 * time.Minute

// Deploy brings the project to the cluster and proves that it serves. The Result is never nil, also
// beside an error: it says what was done until then.
func Deploy(ctx context.Context, opts DeployOptions, sink event.Sink) (*Result, error) {
	opts.Timeout = cmp.Or(opts.Timeout, defaultTimeout)
	opts.takeOver(opts.Plan)
	if opts.PlanOut != "" && opts.DryRun == DryRunNone {
		opts.DryRun = DryRunClient
	}
	d, err := newDeploy(opts, sink, "deploy")
	if err != nil {
		return d.result, err
	}
	limited, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	err = d.run(limited)
	d.finish(err)
	return d.result, err
}

// newDeploy prepares a run; beside an error it has a result only.
func newDeploy(opts DeployOptions, sink event.Sink, verb string) (*deploy, error) {
	d := &deploy{opts: opts, result: &Result{
		APIVersion: apiVersion, Kind: "DeployResult", Changes: []Change{}, Probes: []ProbeResult{}, Failures: []event.Cause{},
	}}
	s, err := connect(opts.Target, opts.Project, "", opts.Version)
	if err != nil {
		return d, err
	}
	d.session = s
	d.seen = &evidence.Recorder{Next: sink}
	d.out = s.stream(d.seen, verb, cmp.Or(opts.Cloud, opts.Project.Cloud), s.started.Add(opts.Timeout))
	return d, nil
}

// deploy is one run: each stage fills in what the later ones need.
type deploy struct {
	*session
	opts   DeployOptions
	out    *stream
	result *Result

	project  *project.Project // with the cloud's overrides
	files    project.Files
	report   *offline.Report
	facts    *cluster.Facts
	profile  cloud.Profile
	image    *image.Image // nil: one that the cluster can pull already
	target   cloud.Target
	rendered *render.Rendered
	outside  *outside // nil: nothing is made beyond the cluster

	history *release.History
	state   *release.State
	lock    *release.Lock
	plan    plan.Plan
	madeNS  bool
	newSalt []byte // that the cluster does not hold yet; nil: it does

	applying time.Time // when apply began
	applied  *apply.Outcome
	failing  map[types.UID]int32 // pods that failed before anything was changed, with their restarts
	rollout  rollout.Verdict
	traffic  *proving // nil: there is none
	seen     *evidence.Recorder
}

// run is the pipeline of a deploy.
func (d *deploy) run(ctx context.Context) error {
	for _, stage := range []func(context.Context) error{
		d.readProject, d.readCluster, d.assemble, d.render, d.samePlace, d.check, d.makePlan, d.planOutside, d.holds,
	} {
		if err := stage(ctx); err != nil {
			return d.failed(ctx, err)
		}
	}
	switch {
	case d.opts.DryRun != DryRunNone:
		return d.planned(ctx)
	case !d.needsRevision():
		return d.unchanged(ctx)
	default:
		return d.change(ctx)
	}
}

// change is the part of the pipeline that writes.
func (d *deploy) change(ctx context.Context) error {
	ctx, err := d.open(ctx)
	if err != nil {
		return d.failed(ctx, err)
	}
	defer d.close(ctx)
	d.sweep(ctx)
	defer func() {
		if d.traffic != nil {
			d.traffic.stop(ctx)
		}
	}()
	for _, stage := range []func(context.Context) error{
		d.deliver, d.startTraffic, d.begin, d.apply, d.serve, d.endTraffic, d.commit, d.prune, d.remembered,
	} {
		if err := stage(ctx); err != nil {
			failure := d.abandon(ctx, d.failed(ctx, err))
			d.evidence(ctx, failure)
			return d.rollBack(ctx, failure)
		}
	}
	d.result.Outcome = Succeeded
	return nil
}

// failed gives an error its last form and the open phase its end.
func (d *deploy) failed(ctx context.Context, err error) error {
	err = ended(ctx, err, d.opts.Timeout, d.result.Changes, d.pending(), d.rollout.Waiting)
	d.out.emit(event.Event{Type: event.PhaseFailed, Message: err.Error()})
	return err
}

// pending are the changes that were planned and not made.
func (d *deploy) pending() []Change {
	var out []Change
	if d.applied == nil {
		return changes(d.plan.Ops)
	}
	for _, op := range d.applied.Pending {
		out = append(out, change(op))
	}
	return out
}

// needsRevision tells whether there is anything to do that deserves a revision: changes, or what a run
// that was killed has begun.
func (d *deploy) needsRevision() bool {
	newest := d.history.Newest()
	return d.plan.Changes() || len(d.outsideChanges()) > 0 || newest == nil || newest.Status != release.Deployed || d.state.Intent != nil
}

// planned ends a dry run.
func (d *deploy) planned(ctx context.Context) error {
	d.result.Outcome = Unchanged
	if d.plan.Changes() || len(d.outsideChanges()) > 0 {
		d.result.Outcome = Planned
	}
	d.result.Changes = append(changes(d.plan.Ops), d.outsideChanges()...)
	if d.opts.PlanOut == "" {
		return nil
	}
	if err := d.save(ctx); err != nil {
		return d.failed(ctx, err)
	}
	return nil
}

// finish fills in the result's last fields and says the last word.
func (d *deploy) finish(err error) {
	r := d.result
	r.DurationMs = d.now().Sub(d.started).Milliseconds()
	r.Name, r.Context, r.Namespace, r.Cloud = d.name, d.client.Context, d.namespace, d.profile.Name
	r.Replicas, r.Ready = d.rollout.Wanted, d.rollout.Ready
	for _, w := range d.client.Warnings() {
		d.warn(w)
	}
	if err != nil {
		r.Outcome, r.Error = outcome(err), err.Error()
	}
	d.out.emit(event.Event{Phase: event.Done, Type: event.Result, Message: string(r.Outcome)})
}

func (d *deploy) warn(message string) {
	d.result.Warnings = append(d.result.Warnings, message)
	d.out.warn(message)
}

func change(op plan.Op) Change {
	return Change{Kind: op.Kind, Name: op.Name, Namespace: op.Namespace, Action: op.Action, Reason: op.Reason}
}

func changes(ops []plan.Op) []Change {
	out := make([]Change, len(ops))
	for i, op := range ops {
		out[i] = change(op)
	}
	return out
}

// summary says n things: "7 objects".
func summary(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
