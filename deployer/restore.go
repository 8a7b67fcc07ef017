package deployer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"egk8s.dev/egk8s/deployer/apply"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
	"egk8s.dev/egk8s/deployer/release"
	"egk8s.dev/egk8s/deployer/rollout"
	"egk8s.dev/egk8s/deployer/verify"
)

// restoring brings a recorded revision back as a new one: the work of every rollback, whoever asked
// for it. The lock is held.
type restoring struct {
	*session
	out     *stream
	history *release.History
	state   *release.State
	target  *release.Record
	force   bool            // take over fields that others own
	watch   rollout.Options // how to watch and show the rollout

	content recorded
	plan    plan.Plan
	applied *apply.Outcome
	verdict rollout.Verdict
}

// prepare plans the way back. The objects that the revision's pods mount must still be there.
func (r *restoring) prepare(ctx context.Context) (err error) {
	if r.content, err = r.readRecord(r.target); err != nil {
		return err
	}
	gone, err := r.missing(ctx, r.content)
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		return &CheckError{
			Code:    "revision-incomplete",
			Message: fmt.Sprintf("revision %d cannot come back: its %s is gone", r.target.Revision, gone[0]),
			Hint:    "deploy its project again; egk8s history shows which revisions can come back",
		}
	}
	earlier, err := previous(r.history, r.state, r.namespace)
	if err != nil {
		return err
	}
	object.Sort(r.content.objects)
	r.plan, err = r.compare(ctx, comparison{
		desired: r.content.objects, previous: earlier, state: r.state, force: r.force, byHelm: r.history.Newest().ByHelm(),
	})
	if err != nil {
		return err
	}
	for _, op := range r.plan.Ops {
		if op.Err != nil {
			return apply.Explain(op.Ref, op.Err)
		}
	}
	return nil
}

// run carries the plan out, waits until every replica serves the revision's config, and records what
// became of it.
func (r *restoring) run(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	failure := r.bring(ctx)
	if failure == nil {
		failure = r.await(ctx)
	}
	if errors.Is(context.Cause(ctx), release.ErrLockLost) {
		return failure // the release is somebody else's now
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	status, text := release.Deployed, fmt.Sprintf("rolled back to %d", r.target.Revision)
	if failure != nil {
		status, text = release.Failed, failure.Error()
	}
	return errors.Join(failure, r.store.Finish(ctx, r.history, status, text), r.remember(ctx, failure))
}

// begin says what is about to happen, before the first object is written.
func (r *restoring) begin(ctx context.Context) error {
	r.state.Intent = &release.Intent{By: holder(), Since: r.now(), Revision: r.history.Newest().Revision + 1}
	for _, op := range r.plan.Ops {
		r.state.Intent.Objects = append(r.state.Intent.Objects, op.Ref)
	}
	if err := r.store.Save(ctx, r.state, release.Owner{Name: r.name, UID: r.ownerUID()}); err != nil {
		return err
	}
	_, err := r.store.Begin(ctx, r.history, r.target.Content(), fmt.Sprintf("rolling back to %d", r.target.Revision))
	return err
}

// ownerUID is the UID of the release's ServiceAccount, as far as the plan knows it.
func (r *restoring) ownerUID() string {
	if r.applied != nil && r.applied.OwnerUID != "" {
		return r.applied.OwnerUID
	}
	for _, op := range r.plan.Ops {
		if op.Kind == "ServiceAccount" && op.Name == r.name {
			return op.UID
		}
	}
	return ""
}

// bring applies the revision's objects.
func (r *restoring) bring(ctx context.Context) (err error) {
	r.out.begin(event.Apply)
	if r.applied, err = r.execute(ctx, r.plan, r.force, r.out); err != nil {
		return err
	}
	r.out.end(r.plan.Summary())
	return nil
}

// await waits for the rollout, and for every replica to say that it has loaded the revision's config.
func (r *restoring) await(ctx context.Context) (err error) {
	r.out.begin(event.Rollout)
	opts := r.watch
	opts.Generation = r.applied.Generation["Deployment/"+r.name]
	r.verdict, err = rollout.Wait(ctx, r.client, opts)
	switch {
	case r.verdict.Phase == rollout.Failed:
		return &UnhealthyError{Cause: r.verdict.Causes[0], Others: r.verdict.Causes[1:]}
	case err != nil:
		return err
	}
	r.out.end(fmt.Sprintf("%d/%d ready", r.verdict.Ready, r.verdict.Wanted))
	if r.content.config == "" {
		return nil // a revision of the chart's own, by plain helm
	}
	r.out.begin(event.Verify)
	got, err := r.loaded(ctx, r.verdict.Pods, verify.Want{Config: r.content.config}, release.Owner{Name: r.name, UID: r.ownerUID()})
	switch {
	case err != nil:
		return err
	case len(got.causes) > 0:
		return &UnhealthyError{Cause: got.causes[0], Others: got.causes[1:]}
	case got.unasked != nil:
		r.out.warn("could not ask every replica which config it has loaded: " + got.unasked.Error())
		r.out.end("the replicas are ready")
	default:
		r.serves()
	}
	return nil
}

// serves says that the revision is back.
func (r *restoring) serves() {
	r.out.end(fmt.Sprintf("%d/%d replicas serve config %s", len(r.verdict.Pods), len(r.verdict.Pods), verify.Short(r.content.config)))
}

// remember writes what is in the cluster now. The intent stays when the run was cut off, so that status can tell.
func (r *restoring) remember(ctx context.Context, failure error) error {
	var unhealthy *UnhealthyError
	if failure == nil || errors.As(failure, &unhealthy) {
		r.state.Intent = nil
	}
	if r.applied != nil {
		r.state.Inventory = inventory(r.applied)
	}
	if failure == nil {
		r.state.Revision = r.history.Newest().Revision
		if r.content.image != r.state.Image {
			r.state.ImageDigests = nil // of an image that this record does not know
		}
		r.state.Image, r.state.ConfigDigest = r.content.image, r.content.config
	}
	return r.store.Save(ctx, r.state, release.Owner{Name: r.name, UID: r.ownerUID()})
}
