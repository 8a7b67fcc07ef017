package deployer

import (
	"context"
	"errors"
	"fmt"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/release"
	"egk8s.dev/egk8s/deployer/rollout"
)

// rollBack brings the last good revision back after a deploy that failed, when that was asked for and
// there is one. The failure stays what it is: its evidence was gathered before.
func (d *deploy) rollBack(ctx context.Context, failure error) error {
	var unhealthy *UnhealthyError
	var timeout *TimeoutError
	target := d.history.Deployed()
	if target != nil && target.Revision == d.result.Revision {
		return failure // it serves and is recorded; what failed came after that
	}
	if !d.opts.RollBack || target == nil || !errors.As(failure, &unhealthy) && !errors.As(failure, &timeout) {
		return failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.opts.Timeout)
	defer cancel()
	d.out.begin(event.Apply)
	d.out.info(fmt.Sprintf("rolling back to revision %d", target.Revision))
	if err := d.restore(ctx, target); err != nil {
		d.out.emit(event.Event{Type: event.PhaseFailed, Message: err.Error()})
		d.warn(fmt.Sprintf("rolling back to revision %d failed: %v", target.Revision, err))
		return failure
	}
	d.result.RolledBack = true
	if unhealthy != nil {
		unhealthy.RolledBack = true
	}
	return failure
}

// restore applies the objects of a revision, waits for them and records them as a new one.
func (d *deploy) restore(ctx context.Context, target *release.Record) error {
	objects, err := parseManifest(target.Manifest, d.namespace)
	if err != nil {
		return err
	}
	object.Sort(objects)
	earlier, err := previous(&release.History{}, d.state, d.namespace)
	if err != nil {
		return err
	}
	for _, u := range d.rendered.Objects {
		earlier = append(earlier, object.Of(u))
	}
	p, err := d.compare(ctx, comparison{desired: objects, previous: earlier, state: d.state, force: d.opts.ForceConflicts, byHelm: target.ByHelm()})
	if err != nil {
		return err
	}
	record, err := d.store.Begin(ctx, d.history, target.Content(), fmt.Sprintf("rolling back to %d", target.Revision))
	if err != nil {
		return err
	}
	out, err := d.execute(ctx, p)
	d.applied = out
	if err == nil {
		d.out.end(fmt.Sprintf("revision %d again: %s", target.Revision, p.Summary()))
		err = d.waitAgain(ctx)
	}
	if err != nil {
		return errors.Join(err, d.store.Finish(ctx, d.history, release.Failed, err.Error()))
	}
	if err := d.store.Finish(ctx, d.history, release.Deployed, fmt.Sprintf("rolled back to %d", target.Revision)); err != nil {
		return err
	}
	d.result.Revision = record.Revision
	d.state.Intent, d.state.Revision, d.state.Inventory = nil, record.Revision, inventory(out)
	return d.store.Save(ctx, d.state, d.owner(""))
}

// waitAgain waits for what was rolled back to, without mixing its verdict with the failure's.
func (d *deploy) waitAgain(ctx context.Context) error {
	d.out.begin(event.Rollout)
	opts := d.watching()
	opts.Generation = d.applied.Generation["Deployment/"+d.name]
	v, err := rollout.Wait(ctx, d.client, opts)
	switch {
	case v.Phase == rollout.Failed:
		return &UnhealthyError{Cause: v.Causes[0], Others: v.Causes[1:]}
	case err != nil:
		return err
	}
	d.out.end(fmt.Sprintf("%d/%d ready", v.Ready, v.Wanted))
	return nil
}
