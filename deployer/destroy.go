package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
	"egk8s.dev/egk8s/deployer/release"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/deployer/verify"
)

// DestroyOptions say what to remove.
type DestroyOptions struct {
	Target
	Name            string
	Timeout         time.Duration // 2m
	DeleteNamespace bool          // only one that egk8s made and that is empty then
	DeleteData      bool          // volumes too
	DryRun          bool          // plan only
}

// DestroyResult is what was removed; `-o json` prints it.
type DestroyResult struct {
	APIVersion string   `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind       string   `json:"kind"`       // DestroyResult
	Outcome    Outcome  `json:"outcome"`
	ExitCode   int      `json:"exitCode"`
	Name       string   `json:"name"`
	Context    string   `json:"context"`
	Namespace  string   `json:"namespace"`
	DurationMs int64    `json:"durationMs"`
	Deleted    []Change `json:"deleted"`
	Kept       []string `json:"kept,omitempty"` // what stays, and why
	Error      string   `json:"error,omitempty"`
}

// Destroy removes everything that deploys of this release made, its records and its lock included.
// Nothing under that name gives a NotDeployedError. The result is never nil.
func Destroy(ctx context.Context, opts DestroyOptions, sink event.Sink) (*DestroyResult, error) {
	limit := cmp.Or(opts.Timeout, 2*time.Minute)
	result := &DestroyResult{APIVersion: apiVersion, Kind: "DestroyResult", Name: opts.Name, Deleted: []Change{}}
	s, err := connect(opts.Target, nil, opts.Name, "")
	if err != nil {
		return result, err
	}
	result.Context, result.Namespace = s.client.Context, s.namespace
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	d := &destroy{session: s, opts: opts, result: result, out: s.stream(sink, "destroy", "", s.started.Add(limit))}
	err = ended(limited, d.run(limited), limit, result.Deleted, nil, nil)
	result.DurationMs = s.now().Sub(s.started).Milliseconds()
	result.Outcome = outcome(err)
	if err == nil && opts.DryRun {
		result.Outcome = Planned
	}
	if err != nil {
		result.Error = err.Error()
		d.out.emit(event.Event{Type: event.PhaseFailed, Message: err.Error()})
	}
	d.out.emit(event.Event{Phase: event.Done, Type: event.Result, Message: string(result.Outcome)})
	return result, err
}

type destroy struct {
	*session
	opts    DestroyOptions
	result  *DestroyResult
	out     *stream
	history *release.History
	state   *release.State
}

func (d *destroy) run(ctx context.Context) error {
	d.out.begin(event.Plan)
	refs, err := d.made(ctx)
	if err != nil {
		return err
	}
	d.out.end(summary(len(refs), "object", "objects") + " to delete")
	if d.opts.DryRun {
		for _, ref := range refs {
			d.note(ref)
		}
		return d.removeOutside(ctx, true)
	}
	locked, lock, err := d.store.Lock(ctx, holder(), "destroy")
	if err != nil {
		return err
	}
	err = d.remove(locked, refs)
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, lock.Release(release))
}

// made lists what deploys made: by the records, the inventory, the intent of a killed run, and the
// labels of config objects.
func (d *destroy) made(ctx context.Context) ([]object.Ref, error) {
	var err error
	if d.history, err = d.store.History(ctx); err != nil {
		return nil, err
	}
	if d.state, err = d.store.State(ctx); err != nil {
		return nil, err
	}
	var refs []object.Ref
	for _, r := range d.history.Records {
		objects, err := parseManifest(r.Manifest, d.namespace)
		if err != nil {
			return nil, fmt.Errorf("read revision %d: %w", r.Revision, err)
		}
		for _, u := range objects {
			refs = append(refs, object.Of(u))
		}
	}
	more, err := previous(&release.History{}, d.state, d.namespace)
	if err != nil {
		return nil, err
	}
	refs = append(refs, more...)
	for _, kind := range []string{"ConfigMap", "Secret"} {
		refs = append(refs, object.Ref{Version: "v1", Kind: kind, Namespace: d.namespace})
	}
	live, err := d.live(ctx, nil, refs)
	if err != nil {
		return nil, err
	}
	return d.choose(ctx, refs, live)
}

// choose keeps what exists, what needs others first.
func (d *destroy) choose(ctx context.Context, refs []object.Ref, live map[object.Key]plan.Live) ([]object.Ref, error) {
	named := map[object.Key]bool{}
	for _, ref := range refs {
		named[ref.Key()] = true
	}
	var out []object.Ref
	for key, l := range live {
		switch {
		case l.Kind == "PersistentVolumeClaim" && !d.opts.DeleteData:
			d.result.Kept = append(d.result.Kept, l.String()+": holds data; --delete-data removes it")
		case named[key], l.Labels[render.ConfigLabel] != "":
			out = append(out, l.Ref)
		}
	}
	if len(out) == 0 && d.history.Newest() == nil && d.state.Format == 0 {
		return nil, d.notDeployed(ctx)
	}
	slices.SortFunc(out, func(a, b object.Ref) int {
		return cmp.Or(object.Stage(b.GVK().GroupKind())-object.Stage(a.GVK().GroupKind()), cmp.Compare(a.String(), b.String()))
	})
	return out, nil
}

func (d *destroy) note(ref object.Ref) {
	d.result.Deleted = append(d.result.Deleted, Change{Kind: ref.Kind, Name: ref.Name, Namespace: ref.Namespace, Action: event.Deleted})
	d.out.emit(event.Event{Type: event.Object, Object: ref.String(), Action: event.Deleted})
}

// remove deletes the objects, waits until the pods are gone, and forgets the release last, so that a
// run that is killed can be repeated.
func (d *destroy) remove(ctx context.Context, refs []object.Ref) error {
	d.out.begin(event.Apply)
	if err := d.removeOutside(ctx, false); err != nil {
		return err
	}
	for _, ref := range refs {
		if err := d.client.Delete(ctx, ref, ""); err != nil {
			return err
		}
		d.note(ref)
	}
	prober := &verify.Prober{Cluster: d.client, Namespace: d.namespace, Release: d.name}
	if err := prober.Sweep(ctx); err != nil {
		return err
	}
	d.out.end(summary(len(refs), "object", "objects") + " deleted")
	d.out.begin(event.Rollout)
	if err := d.emptied(ctx); err != nil {
		return err
	}
	d.out.end("no pod is left")
	d.out.begin(event.Record)
	if err := d.store.Forget(ctx, d.history); err != nil {
		return err
	}
	made := d.state.MadeNamespace
	if err := d.store.ForgetState(ctx); err != nil {
		return err
	}
	d.out.end(summary(len(d.history.Records), "revision", "revisions") + " forgotten")
	return d.leaveNamespace(ctx, made)
}

// emptied waits until the release's pods and ReplicaSets are gone.
func (d *destroy) emptied(ctx context.Context) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		pods, err := d.pods(ctx)
		if err != nil {
			return err
		}
		sets, err := d.replicaSets(ctx)
		if err != nil {
			return err
		}
		if len(pods)+len(sets) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// leaveNamespace deletes the namespace when that was asked for, it was ours, and nothing else is in it.
func (d *destroy) leaveNamespace(ctx context.Context, made bool) error {
	switch {
	case !d.opts.DeleteNamespace:
		d.result.Kept = append(d.result.Kept, "Namespace/"+d.namespace)
		return nil
	case !made:
		d.result.Kept = append(d.result.Kept, "Namespace/"+d.namespace+": egk8s did not make it")
		return nil
	}
	for _, kind := range []object.Ref{
		{Version: "v1", Kind: "Pod"},
		{Version: "v1", Kind: "Service"},
		{Version: "v1", Kind: "PersistentVolumeClaim"},
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "apps", Version: "v1", Kind: "StatefulSet"},
	} {
		list, err := d.client.ListMetadata(ctx, cluster.Selection{Kind: kind, Namespace: d.namespace})
		if err != nil {
			return err
		}
		if len(list) > 0 {
			d.result.Kept = append(d.result.Kept, fmt.Sprintf("Namespace/%s: it holds %s/%s", d.namespace, kind.Kind, list[0].Name))
			return nil
		}
	}
	ref := object.Namespace(d.namespace)
	if err := d.client.Delete(ctx, ref, ""); err != nil {
		return err
	}
	d.note(ref)
	return nil
}
