package deployer

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/evidence"
	"egk8s.dev/egk8s/deployer/object"
)

// kubernetesEvents are those about the release's objects, oldest first.
func (g *gathering) kubernetesEvents() []map[string]any {
	known := map[string]bool{}
	for _, list := range g.objects {
		for _, u := range list {
			known[string(u.GetUID())] = true
		}
	}
	type entry struct {
		at    time.Time
		shown map[string]any
	}
	var found []entry
	for _, u := range g.events {
		var e corev1.Event
		if cluster.Decode(u, &e) != nil {
			continue
		}
		about := e.InvolvedObject
		if !known[string(about.UID)] && about.Name != g.name && !strings.HasPrefix(about.Name, g.name+"-") {
			continue
		}
		at := object.EventTime(&e)
		found = append(found, entry{at, map[string]any{
			"object": about.Kind + "/" + about.Name, "type": e.Type, "reason": e.Reason, "message": e.Message,
			"count": object.EventCount(&e), "last": at, "source": e.Source.Component,
		}})
	}
	slices.SortStableFunc(found, func(a, b entry) int { return a.at.Compare(b.at) })
	out := []map[string]any{}
	for _, e := range found[max(0, len(found)-evidenceMost):] {
		out = append(out, e.shown)
	}
	return out
}

// logs reads the end of the logs of the pods' containers, of this run and of the one before.
func (g *gathering) logs(ctx context.Context) {
	const parallel = 8
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, pod := range g.worst() {
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			name := fmt.Sprintf("logs/%s.%s", pod.Name, status.Name)
			if status.State.Running != nil || status.State.Terminated != nil {
				group.Go(func() error { g.log(ctx, name+".log", pod.Name, status.Name, false); return nil })
			}
			if status.RestartCount > 0 || status.LastTerminationState.Terminated != nil {
				group.Go(func() error { g.log(ctx, name+".previous.log", pod.Name, status.Name, true); return nil })
			}
		}
	}
	_ = group.Wait() // what cannot be read is noted
}

// worst are the pods whose logs are read: those that are not ready first, then the newest.
func (g *gathering) worst() []corev1.Pod {
	var pods []corev1.Pod
	for _, u := range g.objects["Pod"] {
		var p corev1.Pod
		if cluster.Decode(u, &p) == nil {
			pods = append(pods, p)
		}
	}
	ready := func(p corev1.Pod) int {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return 1
			}
		}
		return 0
	}
	slices.SortStableFunc(pods, func(a, b corev1.Pod) int {
		if n := ready(a) - ready(b); n != 0 {
			return n
		}
		return b.CreationTimestamp.Compare(a.CreationTimestamp.Time)
	})
	if len(pods) > evidencePods {
		g.archive.Note("logs of %d further pods", len(pods)-evidencePods)
		pods = pods[:evidencePods]
	}
	return pods
}

func (g *gathering) log(ctx context.Context, name, pod, container string, previous bool) {
	const most = 4 * evidence.MaxFile // of which the end is kept
	stream, err := g.client.PodLogs(ctx, g.namespace, pod, cluster.LogOptions{Container: container, Previous: previous, Tail: evidence.MaxLines})
	if err != nil {
		g.archive.Note("%s: %v", name, err)
		return
	}
	defer stream.Close()
	raw, err := io.ReadAll(io.LimitReader(stream, most))
	if err != nil {
		g.archive.Note("%s: %v", name, err)
	}
	if i := strings.LastIndexByte(string(raw), '\n'); len(raw) == most && i >= 0 {
		raw = raw[:i+1] // the rest of the line may be the rest of a secret
	}
	g.archive.Log(name, raw)
}
