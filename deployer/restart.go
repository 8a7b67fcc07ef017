package deployer

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
)

// noteFailing notes the release's pods that fail before anything is changed.
func (d *deploy) noteFailing(ctx context.Context) {
	d.failing = map[types.UID]int32{}
	pods, err := d.podList(ctx)
	if err != nil {
		return // without the right to list pods the rollout says so
	}
	for _, p := range pods {
		if p.DeletionTimestamp == nil && backsOff(&p) {
			d.failing[p.UID] = restarts(&p)
		}
	}
}

// restartFailing deletes the pods that were failing before: they may sit in a back-off of minutes
// though what they wanted is there now, and their successors start at once. It is a help: without
// the right to delete pods the rollout waits for the kubelet's next try.
func (d *deploy) restartFailing(ctx context.Context) {
	if len(d.failing) == 0 {
		return
	}
	pods, err := d.podList(ctx)
	if err != nil {
		return
	}
	for _, p := range pods {
		if _, failed := d.failing[p.UID]; !failed || p.DeletionTimestamp != nil {
			continue
		}
		ref := object.Ref{Version: "v1", Kind: "Pod", Namespace: p.Namespace, Name: p.Name}
		if d.client.Delete(ctx, ref, p.UID) == nil {
			d.out.emit(event.Event{
				Phase: event.Rollout, Type: event.Info,
				Message: fmt.Sprintf("Pod/%s failed before this deploy: it is started anew", p.Name),
			})
		}
	}
}

// backsOff tells whether a container of the pod waits for its next try.
func backsOff(p *corev1.Pod) bool {
	return slices.ContainsFunc(containers(p), func(c corev1.ContainerStatus) bool {
		w := c.State.Waiting
		return w != nil && slices.Contains([]string{
			"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
		}, w.Reason)
	})
}

func restarts(p *corev1.Pod) int32 {
	most := int32(0)
	for _, c := range containers(p) {
		most = max(most, c.RestartCount)
	}
	return most
}

func containers(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
}
