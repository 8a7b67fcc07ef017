package deployer

import (
	"context"
	"errors"
	"fmt"

	"egk8s.dev/egk8s/deployer/event"
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
	d.out.info(fmt.Sprintf("rolling back to revision %d", target.Revision))
	r := &restoring{
		session: d.session, out: d.out, history: d.history, state: d.state, target: target,
		force: d.opts.ForceConflicts, watch: d.watching(),
	}
	err := r.prepare(ctx)
	if err == nil {
		err = r.run(ctx)
	}
	d.applied = r.applied
	if err != nil {
		d.out.emit(event.Event{Type: event.PhaseFailed, Message: err.Error()})
		d.warn(fmt.Sprintf("rolling back to revision %d failed: %v", target.Revision, err))
		return failure
	}
	d.result.RolledBack, d.result.Revision = true, d.history.Newest().Revision
	if unhealthy != nil {
		unhealthy.RolledBack = true
	}
	return failure
}
