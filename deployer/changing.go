package deployer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/apply"
	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/image"
	"egk8s.dev/egk8s/deployer/plan"
	"egk8s.dev/egk8s/deployer/release"
)

// open takes the lock and plans again: between the first plan and the lock somebody else may have
// deployed.
func (d *deploy) open(ctx context.Context) (context.Context, error) {
	locked, lock, err := d.store.Lock(ctx, holder(), "deploy")
	if err != nil {
		return ctx, err
	}
	d.lock = lock
	before := d.history.Newest()
	history, err := d.store.History(locked)
	moved := err == nil && history.Newest() != nil && (before == nil || !history.Newest().Same(before))
	if err == nil && (moved || d.opts.Plan != nil) {
		err = d.planNow(locked)
	}
	if err == nil {
		err = d.holds(locked)
	}
	if err != nil {
		return locked, errors.Join(err, lock.Release(context.WithoutCancel(ctx)))
	}
	return locked, nil
}

// close gives the lock back.
func (d *deploy) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := d.lock.Release(ctx); err != nil {
		d.warn(err.Error())
	}
}

// deliver brings the image to where the nodes get it.
func (d *deploy) deliver(ctx context.Context) error {
	if d.image == nil || d.target.Delivery == cloud.None {
		return nil
	}
	d.out.begin(event.Image)
	progress := func(p image.Progress) {
		d.out.emit(event.Event{Type: event.Progress, Object: "Image/" + p.Item, Progress: &event.Count{Done: p.Done, Total: p.Total, Unit: "bytes"}})
	}
	switch d.target.Delivery { //nolint:exhaustive // None has nothing to deliver
	case cloud.Push:
		pushed, err := d.image.Push(ctx, image.PushOptions{Repository: d.target.Push, Progress: progress})
		if err != nil {
			return err
		}
		d.out.end(delivered(d.result.Image, pushed.Existed))
	case cloud.KindLoad:
		err := d.image.LoadKind(ctx, image.LoadOptions{Cluster: d.facts.KindCluster(), Reference: d.result.Image, Progress: progress})
		if err != nil {
			return err
		}
		d.out.end(d.result.Image + " loaded")
	}
	return nil
}

func delivered(reference string, existed bool) string {
	if existed {
		return reference + " exists"
	}
	return reference + " pushed"
}

// begin records what is about to happen, before the first object is written.
func (d *deploy) begin(ctx context.Context) error {
	intent := &release.Intent{By: holder(), Since: d.now()}
	for _, op := range d.plan.Ops { // also those to delete: until they are, nothing else may name them
		intent.Objects = append(intent.Objects, op.Ref)
	}
	intent.Revision = 1
	if n := d.history.Newest(); n != nil {
		intent.Revision = n.Revision + 1
	}
	d.state.MadeNamespace = d.state.MadeNamespace || d.madeNS || d.madeNamespace(ctx)
	d.state.Intent = intent
	if d.outside != nil { // before anything is made: who finishes a run that is killed finds it by this
		d.state.Outside = d.outsideState()
	}
	d.result.Revision = intent.Revision
	if err := d.store.Save(ctx, d.state, d.owner("")); err != nil {
		return err
	}
	_, err := d.store.Begin(ctx, d.history, release.Content{
		Chart: d.rendered.Chart, Values: d.rendered.Values, Manifest: d.rendered.YAML,
	}, fmt.Sprintf("deploying config %.10s", d.rendered.Digest))
	return err
}

// apply runs the plan.
func (d *deploy) apply(ctx context.Context) error {
	d.out.begin(event.Apply)
	d.noteFailing(ctx)
	d.applying = d.now()
	out, err := d.execute(ctx, d.plan, d.opts.ForceConflicts, d.out)
	d.applied = out
	for _, op := range out.Done {
		d.result.Changes = append(d.result.Changes, change(op))
	}
	if err != nil {
		return err
	}
	d.lock.Own(d.owner(out.OwnerUID))
	d.out.end(d.plan.Summary())
	return nil
}

// execute runs a plan and shows every operation.
func (s *session) execute(ctx context.Context, p plan.Plan, force bool, out *stream) (*apply.Outcome, error) {
	return apply.Run(ctx, s.client, p, apply.Options{
		Force: force, Owner: s.name, Owned: isConfig,
		Done: func(op plan.Op) {
			out.emit(event.Event{Type: event.Object, Object: op.String(), Action: op.Action, Message: op.Reason})
		},
	})
}

func (d *deploy) owner(uid string) release.Owner {
	if uid == "" && d.applied != nil {
		uid = d.applied.OwnerUID
	}
	return release.Owner{Name: d.name, UID: uid}
}

// commit records that the revision is deployed. The intent stays until what nobody needs is gone too: a run that is
// killed before that is finished by the next.
func (d *deploy) commit(ctx context.Context) error {
	d.out.begin(event.Record)
	if err := d.store.Finish(ctx, d.history, release.Deployed, fmt.Sprintf("deployed config %.10s by egk8s %s", d.rendered.Digest, d.store.Version)); err != nil {
		return err
	}
	d.fillState()
	d.state.Revision = d.result.Revision
	d.out.end(fmt.Sprintf("revision %d", d.result.Revision))
	return nil
}

// remembered ends the intent: everything is done.
func (d *deploy) remembered(ctx context.Context) error {
	d.state.Intent = nil
	return d.store.Save(ctx, d.state, d.owner(""))
}

// fillState writes what is now in the cluster into the state.
func (d *deploy) fillState() {
	s := d.state
	s.Cloud, s.Image, s.ConfigDigest, s.ConsumersDigest = d.profile.Name, d.result.Image, d.rendered.Digest, d.rendered.ConsumersDigest
	s.ImageDigests = nil
	if d.image != nil {
		s.ImageDigests = d.image.Digests()
	}
	p := d.rendered.Ports
	s.Ports = map[string]int{ForwardAdmin: p.Admin}
	if p.HTTP != 0 {
		s.Ports["http"] = p.HTTP
	}
	if p.HTTPS != 0 {
		s.Ports["https"] = p.HTTPS
	}
	s.Inventory = inventory(d.applied)
}

// inventory is what a run left in the cluster. Objects that it did not come to, or that were refused,
// are listed without what was sent, so that the next run has them judged, or removes them.
func inventory(applied *apply.Outcome) []release.Entry {
	sent := slices.Clone(applied.Inventory)
	for _, op := range applied.Pending {
		if op.UID != "" {
			sent = append(sent, plan.Sent{Ref: op.Ref, UID: op.UID})
		}
	}
	var out []release.Entry
	for _, e := range apply.Entries(sent) {
		out = append(out, release.Entry{Ref: e.Ref, UID: e.UID, Sent: e.Sent, Owned: e.Owned})
	}
	return out
}

// abandon records a run that failed: the revision as failed, and what is in the cluster now. The
// intent stays when the run was interrupted, so that status can tell, and when the revision is deployed and only what
// nobody needs could not be removed, so that the next run does that.
func (d *deploy) abandon(ctx context.Context, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if _, locked := errors.AsType[*LockedError](failure); locked {
		return failure // the release is somebody else's now
	}
	n := d.history.Newest()
	if n != nil && n.Status.Pending() && n.Revision == d.result.Revision {
		if err := d.store.Finish(ctx, d.history, release.Failed, failure.Error()); err != nil {
			d.warn(err.Error())
		}
	}
	var interrupted *InterruptedError
	committed := n != nil && n.Status == release.Deployed && n.Revision == d.result.Revision
	if !errors.As(failure, &interrupted) && !committed {
		d.state.Intent = nil
	}
	if d.applied != nil {
		d.state.Inventory = inventory(d.applied)
		if err := d.store.Save(ctx, d.state, d.owner("")); err != nil {
			d.warn(err.Error())
		}
	}
	return failure
}

// prune removes config objects that nothing needs any more: no ReplicaSet, not even one without
// pods, and no kept record names them.
func (d *deploy) prune(ctx context.Context) error {
	live, err := d.live(ctx, d.rendered.Config, nil)
	if err != nil {
		return err
	}
	needed, err := d.neededConfig(ctx)
	if err != nil {
		return err
	}
	for _, u := range d.rendered.Config {
		needed[u.GetName()] = true
	}
	for _, l := range live {
		if l.Labels["egk8s.dev/config"] == "" || needed[l.Name] {
			continue
		}
		if err := d.client.Delete(ctx, l.Ref, ""); err != nil {
			return err
		}
		d.out.emit(event.Event{Type: event.Object, Object: l.String(), Action: event.Deleted, Message: "no revision needs it"})
		d.result.Changes = append(d.result.Changes, Change{Kind: l.Kind, Name: l.Name, Namespace: l.Namespace, Action: event.Deleted, Reason: "no revision needs it"})
	}
	return nil
}

// neededConfig are the names of ConfigMaps and Secrets that ReplicaSets and records mount.
func (d *deploy) neededConfig(ctx context.Context) (map[string]bool, error) {
	needed := map[string]bool{}
	sets, err := d.replicaSets(ctx)
	if err != nil {
		return nil, err
	}
	note := func(u *unstructured.Unstructured) {
		for _, m := range mounts(u) {
			needed[m.Name] = true
		}
	}
	for _, u := range sets {
		note(u)
	}
	for _, r := range d.history.Records {
		objects, err := parseManifest(r.Manifest, d.namespace)
		if err != nil {
			return nil, fmt.Errorf("read revision %d: %w", r.Revision, err)
		}
		for _, u := range objects {
			note(u)
		}
	}
	return needed, nil
}
