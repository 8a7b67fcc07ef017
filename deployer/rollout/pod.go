package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/event"
)

// pod looks for what keeps one pod of the newest template from becoming ready.
func (j *judge) pod(p *corev1.Pod) {
	switch {
	case p.DeletionTimestamp != nil, podReady(p):
		return
	case p.Status.Phase == corev1.PodFailed:
		return // it will not run again: evicted looks at what ended it
	case !placed(p):
		j.unplaced(p)
		return
	case j.nodeLost(p):
		return
	}
	j.volumes(p)
	j.sandbox(p)
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		j.container(p, c)
	}
	j.gate(p)
}

// replica notes a pod that is ready and stays.
func (j *judge) replica(p *corev1.Pod) {
	if p.DeletionTimestamp != nil || !podReady(p) {
		return
	}
	r := Replica{Name: p.Name, IP: p.Status.PodIP, Node: p.Spec.NodeName}
	for _, c := range p.Status.ContainerStatuses {
		if c.Name == gatewayContainer {
			r.Image, r.ImageID = c.Image, c.ImageID
		}
	}
	j.v.Pods = append(j.v.Pods, r)
}

func podReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// cause begins a cause about a pod with its events.
func (j *judge) cause(p *corev1.Pod, code, reason, message string) event.Cause {
	return event.Cause{
		Code: code, Object: "Pod/" + p.Name, Reason: reason, Message: message,
		Events: kubeEvents(j.s.eventsOf(p.UID), j.s.Now),
	}
}

func mark(p *corev1.Pod, parts ...string) string {
	return string(p.UID) + "/" + strings.Join(parts, "/")
}

// volumes: a ConfigMap, Secret or claim that the pod mounts is not there, or cannot be attached.
func (j *judge) volumes(p *corev1.Pod) {
	e := j.s.lastEvent(p.UID, "FailedMount", "FailedAttachVolume", "FailedMapVolume")
	if e == nil || started(p) {
		return
	}
	cause := j.cause(p, "volume", e.Reason, "a volume of the pod cannot be mounted: "+short(e.Message))
	x := suspicion{born: p.CreationTimestamp.Time, mark: mark(p, "volume"), after: 10 * time.Second}
	for _, kind := range []string{"Secret", "ConfigMap"} {
		name := between(e.Message, strings.ToLower(kind)+` "`, `"`)
		if name == "" || !strings.Contains(e.Message, "not found") {
			continue
		}
		cause.Message = fmt.Sprintf("the pod mounts %s %q, which does not exist", kind, name)
		cause.Fix = fmt.Sprintf("create the %s %s, or correct its name in egk8s.yaml", kind, name)
	}
	switch {
	case strings.Contains(e.Message, "references non-existent"): // secret key, config key
		cause.Code, cause.Message = "missing-key", "a file of the pod names a key that is not there: "+short(e.Message)
		cause.Fix = "add the key, or correct spec.files in egk8s.yaml"
	case strings.Contains(e.Message, "Multi-Attach"):
		cause.Message = "a volume of the pod is still attached to another node: " + short(e.Message)
		x.hold = j.s.leaving()
	}
	x.cause = cause
	j.suspect(x)
}

// sandbox: the node cannot give the pod its network. Right after a node has started that passes.
func (j *judge) sandbox(p *corev1.Pod) {
	e := j.s.lastEvent(p.UID, "FailedCreatePodSandBox", "NetworkNotReady")
	if e == nil || started(p) || j.s.lastEvent(p.UID, "Pulling", "Pulled", "Created") != nil {
		return
	}
	cause := j.cause(p, "sandbox", e.Reason, fmt.Sprintf("node %s cannot set the pod up: %s", p.Spec.NodeName, short(e.Message)))
	cause.Next = []string{"kubectl describe node " + p.Spec.NodeName}
	j.suspect(suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, "sandbox"), after: 30 * time.Second, since: firstTime(e)})
}

func started(p *corev1.Pod) bool {
	for _, c := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil {
			return true
		}
	}
	return false
}

// podView is the pod's line in the tree.
func (j *judge) podView(p *corev1.Pod, parent string, failed bool) View {
	v := View{Object: "Pod/" + p.Name, Parent: parent, State: event.Progressing, Message: j.doing(p)}
	switch {
	case p.DeletionTimestamp != nil:
		v.State, v.Message = event.Draining, ""
	case failed:
		v.State = event.Failed
	case podReady(p):
		v.State, v.Message = event.Ready, ""
	case p.Spec.NodeName == "", p.Status.Phase == corev1.PodFailed:
		v.State = event.Waiting
	}
	return v
}

// doing says in a word or two what a pod that is not ready does.
func (j *judge) doing(p *corev1.Pod) string {
	switch {
	case p.Status.Phase == corev1.PodFailed && p.Status.Reason != "":
		return p.Status.Reason
	case p.Spec.NodeName == "":
		return "waiting for a node"
	}
	for _, c := range p.Status.ContainerStatuses {
		switch {
		case c.State.Running != nil:
			return "not ready yet"
		case c.State.Terminated != nil:
			return fmt.Sprintf("ended with exit code %d", c.State.Terminated.ExitCode)
		case c.State.Waiting != nil && c.State.Waiting.Reason != "ContainerCreating" && c.State.Waiting.Reason != "PodInitializing" && c.State.Waiting.Reason != "":
			return c.State.Waiting.Reason
		}
	}
	if e := j.s.lastEvent(p.UID, "Pulling", "Pulled"); e != nil && e.Reason == "Pulling" {
		return "pulling image"
	}
	return "starting"
}
