package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/release"
)

// RollbackOptions say which revision to bring back.
type RollbackOptions struct {
	Target
	Name     string
	Revision int           // 0: the last one before the current that was deployed and differs from it
	Timeout  time.Duration // of the whole run; 5m
	// ForceConflicts takes over fields that others own.
	ForceConflicts bool
	DryRun         bool // plan only
	// Version is the version of egk8s, written into the release record.
	Version string
}

// Rollback brings an earlier revision back as a new one and waits until every replica serves its
// configuration. A release that does not exist gives a NotDeployedError, a revision that does not a
// SettingsError, one whose config objects are gone a CheckError. The Result is never nil.
func Rollback(ctx context.Context, opts RollbackOptions, sink event.Sink) (*Result, error) {
	opts.Timeout = cmp.Or(opts.Timeout, defaultTimeout)
	result := &Result{
		APIVersion: apiVersion, Kind: "RollbackResult", Name: opts.Name,
		Changes: []Change{}, Probes: []ProbeResult{}, Failures: []event.Cause{},
	}
	s, err := connect(opts.Target, nil, opts.Name, opts.Version)
	if err != nil {
		return result, err
	}
	b := &rollback{session: s, opts: opts, result: result, out: s.stream(sink, "rollback", "", s.started.Add(opts.Timeout))}
	limited, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	err = b.run(limited)
	b.finish(err)
	return result, err
}

type rollback struct {
	*session
	opts   RollbackOptions
	result *Result
	out    *stream
	work   *restoring
}

func (b *rollback) run(ctx context.Context) error {
	b.out.begin(event.Plan)
	if err := b.plan(ctx); err != nil {
		return b.failed(ctx, err)
	}
	b.out.end(fmt.Sprintf("to revision %d: %s", b.work.target.Revision, b.work.plan.Summary()))
	newest := b.work.history.Newest()
	switch {
	case b.opts.DryRun:
		b.result.Changes, b.result.Outcome = changes(b.work.plan.Ops), Planned
		return nil
	case !b.work.plan.Changes() && newest.Status == release.Deployed:
		b.result.Changes, b.result.Outcome, b.result.Revision = changes(b.work.plan.Ops), Unchanged, newest.Revision
		return nil
	}
	locked, lock, err := b.store.Lock(ctx, holder(), "rollback")
	if err != nil {
		return b.failed(ctx, err)
	}
	if err = b.plan(locked); err == nil { // again: somebody may have deployed before the lock was ours
		err = b.work.run(locked)
	}
	if err == nil {
		b.expose(locked)
	} else {
		err = b.failed(locked, err)
	}
	freeing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, lock.Release(freeing))
}

// plan reads what was deployed, chooses the revision and plans the way to it.
func (b *rollback) plan(ctx context.Context) error {
	history, err := b.store.History(ctx)
	if err != nil {
		return err
	}
	state, err := b.store.State(ctx)
	if err != nil {
		return err
	}
	if history.Newest() == nil {
		return b.notDeployed(ctx)
	}
	target, err := choose(history, b.opts.Revision)
	if err != nil {
		return err
	}
	b.work = &restoring{
		session: b.session, out: b.out, history: history, state: state, target: target,
		force: b.opts.ForceConflicts, watch: b.watching(b.out),
	}
	b.out.update(func(h *event.Header) { h.Cloud, h.Revision = state.Cloud, history.Newest().Revision+1 })
	if state.ConsumersDigest != "" {
		b.warn("consumers stay as they are: a rollback does not bring old ones back")
	}
	if target.Status == release.Failed {
		b.warn(fmt.Sprintf("revision %d had failed when it was deployed", target.Revision))
	}
	return b.work.prepare(ctx)
}

// expose finds the address that answers from here.
func (b *rollback) expose(ctx context.Context) {
	b.out.begin(event.Expose)
	b.result.URL = outsideAnswers(ctx, b.work.state.Outside, b.work.content.config)
	if b.result.URL == "" {
		b.result.URL, b.result.Reach = b.reach(ctx, false, b.work.content.config)
	}
	b.out.end(cmp.Or(b.result.URL, "no address answers from here; reach it with "+b.result.Reach))
}

// choose returns the revision that is wanted; 0 stands for the last one that was deployed before what
// serves now and is not the same.
func choose(h *release.History, wanted int) (*release.Record, error) {
	current := h.Deployed()
	for _, r := range slices.Backward(h.Records) {
		switch {
		case wanted != 0 && r.Revision == wanted:
			return r, nil
		case wanted != 0 || r.Status != release.Deployed && r.Status != release.Superseded:
		case current == nil, r.Revision < current.Revision && r.Manifest != current.Manifest:
			return r, nil
		case r == current && h.Newest() != r:
			return r, nil // what came after it failed
		}
	}
	var known []string
	for _, r := range h.Records {
		known = append(known, strconv.Itoa(r.Revision))
	}
	if wanted == 0 {
		return nil, &SettingsError{
			Message: "there is no earlier revision to go back to",
			Hint:    "egk8s history shows what is recorded: " + strings.Join(known, ", "),
		}
	}
	return nil, &SettingsError{
		Message: fmt.Sprintf("revision %d is not recorded", wanted),
		Hint:    "egk8s history shows what is: " + strings.Join(known, ", "),
	}
}

func (b *rollback) failed(ctx context.Context, err error) error {
	var applied, pending []Change
	var waiting []event.Cause
	if b.work != nil {
		waiting = b.work.verdict.Waiting
		if b.work.applied != nil {
			applied, pending = changes(b.work.applied.Done), changes(b.work.applied.Pending)
		} else {
			pending = changes(b.work.plan.Ops)
		}
	}
	err = ended(ctx, err, b.opts.Timeout, applied, pending, waiting)
	if unhealthy, ok := errors.AsType[*UnhealthyError](err); ok {
		for _, c := range append([]event.Cause{unhealthy.Cause}, unhealthy.Others...) {
			if len(c.Next) == 0 {
				c.Next = []string{"egk8s status", "egk8s history"}
			}
			b.out.emit(event.Event{Type: event.Diagnosis, Object: c.Object, Diagnosis: &c})
			b.result.Failures = append(b.result.Failures, c)
		}
	}
	b.out.emit(event.Event{Type: event.PhaseFailed, Message: err.Error()})
	return err
}

// finish fills in the result's last fields and says the last word.
func (b *rollback) finish(err error) {
	r := b.result
	r.DurationMs, r.Context, r.Namespace = b.now().Sub(b.started).Milliseconds(), b.client.Context, b.namespace
	if b.work != nil {
		b.fill(r, b.work)
	}
	for _, w := range b.client.Warnings() {
		b.warn(w)
	}
	if r.Outcome == "" {
		r.Outcome = outcome(err)
	}
	if err != nil {
		r.Error = err.Error()
	}
	b.out.emit(event.Event{Phase: event.Done, Type: event.Result, Message: string(r.Outcome)})
}

func (b *rollback) fill(r *Result, w *restoring) {
	r.Cloud, r.RestoredRevision = w.state.Cloud, w.target.Revision
	r.Image, r.ConfigDigest = w.content.image, w.content.config
	r.Replicas, r.Ready = w.verdict.Wanted, w.verdict.Ready
	if w.applied == nil {
		return
	}
	r.Changes, r.Revision = []Change{}, w.history.Newest().Revision
	for _, op := range w.applied.Done {
		r.Changes = append(r.Changes, change(op))
	}
}

func (b *rollback) warn(message string) {
	if !slices.Contains(b.result.Warnings, message) {
		b.result.Warnings = append(b.result.Warnings, message)
		b.out.warn(message)
	}
}

// outcome is the last word on a run that ended with err.
func outcome(err error) Outcome {
	var interrupted *InterruptedError
	var timeout *TimeoutError
	switch {
	case err == nil:
		return Succeeded
	case errors.Is(err, ErrDetached), errors.As(err, &timeout):
		return Unfinished
	case errors.As(err, &interrupted):
		return Interrupted
	default:
		return FailedRun
	}
}
