package deployer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/expose"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/plan"
	"egk8s.dev/egk8s/deployer/release"
	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/deployer/rollout"
	"egk8s.dev/egk8s/deployer/verify"
)

// Status looks once at a release. A release that does not exist gives a NotDeployedError; one that
// is not healthy gives a StatusResult and no error.
func Status(ctx context.Context, opts StatusOptions) (*StatusResult, error) {
	limit := cmp.Or(opts.Timeout, 30*time.Second)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s, err := connect(opts.Target, nil, opts.Name, "")
	if err != nil {
		return nil, err
	}
	result, err := s.look(limited)
	if err != nil {
		return nil, ended(limited, err, limit, nil, nil, nil)
	}
	return result, nil
}

// Watch emits the release's objects as events whenever they change, until ctx ends or the release
// is gone, and returns the last look. The end of ctx is no error.
func Watch(ctx context.Context, opts StatusOptions, sink event.Sink) (*StatusResult, error) {
	s, err := connect(opts.Target, nil, opts.Name, "")
	if err != nil {
		return nil, err
	}
	out := s.stream(sink, "status", "", time.Time{})
	first, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	out.update(func(h *event.Header) { h.Cloud, h.Revision = first.Cloud, first.Revision })
	out.begin(event.Rollout)
	seen := false
	err = rollout.Track(ctx, s.client, s.watching(out), func(v rollout.Verdict) bool {
		there := len(v.Views) > 0
		gone := seen && !there
		seen = seen || there
		return !gone
	})
	if err != nil && ctx.Err() == nil {
		return first, err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	result, err := s.look(last)
	if _, missing := errors.AsType[*NotDeployedError](err); missing {
		out.emit(event.Event{Phase: event.Done, Type: event.Result, Message: "gone"})
		return first, nil
	}
	if err != nil {
		return first, err
	}
	out.emit(event.Event{Phase: event.Done, Type: event.Result, Message: string(result.Health)})
	return result, nil
}

// look reads everything that a status says.
func (s *session) look(ctx context.Context) (*StatusResult, error) {
	r := &StatusResult{
		APIVersion: apiVersion, Kind: "Status", Name: s.name, Namespace: s.namespace, Context: s.client.Context,
		Pods: []PodStatus{}, Failures: []event.Cause{},
	}
	var history *release.History
	var state *release.State
	var verdict rollout.Verdict
	var pods []corev1.Pod
	g, reading := errgroup.WithContext(ctx)
	g.Go(func() (err error) { history, err = s.store.History(reading); return err })
	g.Go(func() (err error) { state, err = s.store.State(reading); return err })
	g.Go(func() (err error) { verdict, err = s.glance(reading); return err })
	g.Go(func() (err error) { pods, err = s.podList(reading); return err })
	g.Go(func() error { s.lookService(reading, r); return nil })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if history.Newest() == nil && len(verdict.Views) == 0 {
		return nil, s.notDeployed(ctx)
	}
	s.fillRecord(r, history, state)
	s.fillPods(ctx, r, verdict, pods, state)
	s.lookReach(ctx, r, state)
	rollout.Evidence(ctx, s.client, s.watching(nil), verdict.Causes)
	r.Failures = append(r.Failures, verdict.Causes...)
	s.unfinished(ctx, r, history, state)
	r.Health = health(r, verdict)
	s.drift(ctx, r, history, state)
	return r, nil
}

// glance judges the rollout once, with what is there now.
func (s *session) glance(ctx context.Context) (rollout.Verdict, error) {
	var out rollout.Verdict
	opts := s.watching(nil)
	opts.Seen, opts.Glance = nil, true
	err := rollout.Track(ctx, s.client, opts, func(v rollout.Verdict) bool {
		out = v
		return len(v.Lacks) > 0
	})
	return out, err
}

func (s *session) podList(ctx context.Context) ([]corev1.Pod, error) {
	list, err := s.pods(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]corev1.Pod, len(list))
	for i, u := range list {
		if err := cluster.Decode(u, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *session) fillRecord(r *StatusResult, history *release.History, state *release.State) {
	r.Cloud, r.Image, r.ConfigDigest = state.Cloud, state.Image, state.ConfigDigest
	record := history.Deployed()
	if record == nil {
		record = history.Newest()
	}
	if record != nil {
		r.Revision, r.Updated = record.Revision, record.Updated
	}
	if len(state.ImageDigests) > 0 {
		r.ImageDigest = state.ImageDigests[0]
	}
}

// fillPods asks every pod what it has loaded.
func (s *session) fillPods(ctx context.Context, r *StatusResult, verdict rollout.Verdict, pods []corev1.Pod, state *release.State) {
	r.Replicas, r.Ready = verdict.Wanted, verdict.Ready
	current := map[string]bool{}
	for _, p := range verdict.Pods {
		current[p.Name] = true
	}
	views := map[string]rollout.View{}
	for _, v := range verdict.Views {
		views[v.Object] = v
	}
	ask := make([]verify.Pod, len(pods))
	for i, p := range pods {
		ask[i] = verify.Pod{Name: p.Name, IP: p.Status.PodIP}
	}
	answers := verify.Replicas(ctx, s.client, s.namespace, render.StatusPort, ask)
	for i, p := range pods {
		view := views["Pod/"+p.Name]
		ps := PodStatus{
			Name: p.Name, Node: p.Spec.NodeName, State: cmp.Or(view.State, event.Waiting), Message: view.Message,
			Since: p.CreationTimestamp.Time, Current: current[p.Name],
		}
		for _, c := range p.Status.ContainerStatuses {
			ps.Restarts += int(c.RestartCount)
			if r.Image == "" && c.Name == render.ContainerName {
				r.Image = c.Image
			}
		}
		a := answers[i]
		ps.Version, ps.ConfigDigest, ps.ConsumersDigest = a.Version, a.LoadedDigest, a.ConsumersDigest
		if ps.State == event.Ready && a.Err == nil && a.LoadedDigest == cmp.Or(state.ConfigDigest, a.ExpectedDigest) {
			r.Current++
		}
		for _, problem := range a.Problems {
			r.Warnings = append(r.Warnings, "Pod/"+p.Name+": "+problem)
		}
		r.Restarts += ps.Restarts
		r.Pods = append(r.Pods, ps)
	}
	slices.SortFunc(r.Pods, func(a, b PodStatus) int { return cmp.Compare(a.Name, b.Name) })
}

// lookService reads how the gateway is reached; what cannot be read stays empty.
func (s *session) lookService(ctx context.Context, r *StatusResult) {
	u, err := s.client.Get(ctx, s.serviceRef())
	var svc corev1.Service
	if err != nil || cluster.Decode(u, &svc) != nil {
		return
	}
	r.Service.Type = string(svc.Spec.Type)
	for _, p := range svc.Spec.Ports {
		r.Service.Ports = append(r.Service.Ports, fmt.Sprintf("%s %d", p.Name, p.Port))
	}
	for _, i := range svc.Status.LoadBalancer.Ingress {
		r.Service.Addresses = append(r.Service.Addresses, cmp.Or(i.IP, i.Hostname))
	}
	list, err := s.client.List(ctx, cluster.Selection{
		Kind:      object.Ref{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"},
		Namespace: s.namespace, Labels: discovery.LabelServiceName + "=" + svc.Name,
	})
	if err == nil {
		r.Service.Endpoints = readyEndpoints(list)
	}
	if cause, _ := s.pendingAddress(ctx); cause != nil {
		r.Warnings = append(r.Warnings, "no address from outside yet: "+cause.Message)
	}
}

// lookReach tries the addresses from here.
func (s *session) lookReach(ctx context.Context, r *StatusResult, state *release.State) {
	if state.Outside != nil {
		r.Service.Addresses = append(r.Service.Addresses, state.Outside.URLs...)
	}
	if r.URL = outsideAnswers(ctx, state.Outside, r.ConfigDigest); r.URL == "" && state.Outside != nil && len(state.Outside.URLs) > 0 {
		r.Warnings = append(r.Warnings, "no address outside of the cluster leads to the gateway: egk8s deploy says why")
	}
	if r.URL == "" {
		r.URL = expose.Try(ctx, s.candidates(ctx), r.ConfigDigest)
	}
	if r.URL == "" {
		r.Reach = reachCommand
	}
}

// unfinished tells of a deploy that runs, or that was killed.
func (s *session) unfinished(ctx context.Context, r *StatusResult, history *release.History, state *release.State) {
	held, err := s.store.Holder(ctx)
	switch {
	case err == nil && held != nil:
		r.Unfinished = fmt.Sprintf("a deploy is running: %s, since %s", held.Holder, held.Since.Format(time.RFC3339))
	case state.Intent != nil:
		r.Unfinished = fmt.Sprintf("the deploy of revision %d by %s at %s was interrupted; resume it with: egk8s deploy",
			state.Intent.Revision, state.Intent.By, state.Intent.Since.Format(time.RFC3339))
	case history.Newest() != nil && history.Newest().Status == release.Failed:
		text := fmt.Sprintf("the deploy of revision %d failed", history.Newest().Revision)
		if len(r.Failures) == 0 {
			text += ": " + history.Newest().Description // else the failures say why
		}
		r.Warnings = append(r.Warnings, text)
	}
}

func health(r *StatusResult, v rollout.Verdict) Health {
	serving := v.Ready + v.Old
	switch {
	case serving == 0 && r.Replicas > 0:
		return Unavailable
	case len(v.Causes) > 0:
		return Degraded
	case v.Phase != rollout.Complete:
		return Updating
	case r.Current < r.Ready && r.ConfigDigest != "":
		return Degraded
	default:
		return Healthy
	}
}

// drift names the objects whose fields of ours somebody changed; one request per kind.
func (s *session) drift(ctx context.Context, r *StatusResult, history *release.History, state *release.State) {
	if len(state.Inventory) == 0 || history.Newest() == nil || history.Newest().Revision != state.Revision {
		return // the inventory is not that of the newest revision: nothing can be said
	}
	refs := make([]object.Ref, len(state.Inventory))
	for i, e := range state.Inventory {
		refs[i] = e.Ref
	}
	live, err := s.live(ctx, nil, refs)
	if err != nil {
		r.Warnings = append(r.Warnings, "could not look for changes made outside egk8s: "+err.Error())
		return
	}
	r.Drift = drifted(state.Inventory, live)
	for _, d := range r.Drift {
		r.Warnings = append(r.Warnings, "changed outside egk8s: "+d.Object)
	}
}

func drifted(inventory []release.Entry, live map[object.Key]plan.Live) []Drift {
	var out []Drift
	for _, e := range inventory {
		l, there := live[e.Key()]
		if there && l.UID == e.UID && l.Owned == e.Owned {
			continue
		}
		d := Drift{Object: e.String()}
		if len(l.Managers) > 0 {
			d.By = l.Managers[len(l.Managers)-1]
		}
		if !there {
			d.Fields = []string{"(deleted)"}
		}
		out = append(out, d)
	}
	return out
}

func notServing(name string) event.Cause {
	return event.Cause{
		Code: "not-ready", Object: "Deployment/" + name, Reason: "NoReadyPod", Message: "no replica is ready",
		Next: []string{"egk8s status"},
	}
}
