package rollout

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/event"
)

// pod looks for what keeps one pod of the newest template from becoming ready.
func (j *judge) pod(p *corev1.Pod) {
	if p.DeletionTimestamp != nil || podReady(p) {
		return
	}
	j.unschedulable(p)
	j.volumes(p)
	for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		j.container(p, c)
	}
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

// unschedulable: no node takes the pod. An autoscaler that is adding one, or pods that are leaving,
// may still make room.
func (j *judge) unschedulable(p *corev1.Pod) {
	for _, c := range p.Status.Conditions {
		if c.Type != corev1.PodScheduled || c.Status != corev1.ConditionFalse || c.Reason != corev1.PodReasonUnschedulable {
			continue
		}
		cause := j.cause(p, "unschedulable", c.Reason, "no node can take the pod: "+strings.TrimSuffix(c.Message, "."))
		cause.Fix = schedulingFix(c.Message)
		cause.Next = []string{"kubectl describe nodes"}
		after := 10 * time.Second
		if j.s.lastEvent(p.UID, "NotTriggerScaleUp") != nil {
			after = 3 * time.Second
		}
		j.suspect(suspicion{
			cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, "unschedulable"), after: after, since: c.LastTransitionTime.Time,
			hold: j.s.leaving() || j.s.lastEvent(p.UID, "TriggeredScaleUp") != nil,
		})
	}
}

func schedulingFix(message string) string {
	switch {
	case strings.Contains(message, "Insufficient cpu"), strings.Contains(message, "Insufficient memory"):
		return "lower spec.resources.requests or spec.replicas in egk8s.yaml, or add a node"
	case strings.Contains(message, "untolerated taint"):
		return "no node without a taint is left: add a node, or remove the taint"
	case strings.Contains(message, "node affinity"), strings.Contains(message, "node selector"):
		return "no node has the labels that the pod asks for"
	default:
		return ""
	}
}

// volumes: a ConfigMap, Secret or claim that the pod mounts is not there.
func (j *judge) volumes(p *corev1.Pod) {
	e := j.s.lastEvent(p.UID, "FailedMount", "FailedAttachVolume")
	if e == nil || started(p) {
		return
	}
	cause := j.cause(p, "volume", e.Reason, "a volume of the pod cannot be mounted: "+short(e.Message))
	if name := between(e.Message, `secret "`, `"`); name != "" {
		cause.Message = fmt.Sprintf("the pod mounts Secret %q, which does not exist", name)
		cause.Fix = "create the Secret " + name + ", or correct its name in egk8s.yaml"
	}
	j.suspect(suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, "volume"), after: 10 * time.Second})
}

func started(p *corev1.Pod) bool {
	for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		if c.State.Running != nil || c.State.Terminated != nil || c.LastTerminationState.Terminated != nil {
			return true
		}
	}
	return false
}

// container judges one container of a pod that is not ready.
func (j *judge) container(p *corev1.Pod, c corev1.ContainerStatus) {
	w := c.State.Waiting
	switch {
	case w != nil && (w.Reason == "ErrImagePull" || w.Reason == "ImagePullBackOff" || w.Reason == "InvalidImageName" ||
		w.Reason == "ErrImageNeverPull" || w.Reason == "ImageInspectError" || w.Reason == "RegistryUnavailable"):
		j.image(p, c)
	case w != nil && (w.Reason == "CreateContainerConfigError" || w.Reason == "CreateContainerError"):
		j.create(p, c)
	case lastExit(c) != nil && c.State.Running == nil:
		j.exited(p, c)
	case w != nil && w.Reason == "RunContainerError":
		cause := j.containerCause(p, c, "start-failed", w.Reason, "the container cannot be started: "+short(w.Message))
		j.suspect(suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, c.Name, w.Reason), after: 8 * time.Second})
	case c.State.Running != nil:
		j.unready(p, c)
	}
}

func (j *judge) containerCause(p *corev1.Pod, c corev1.ContainerStatus, code, reason, message string) event.Cause {
	cause := j.cause(p, code, reason, message)
	cause.Container, cause.Restarts = c.Name, int(c.RestartCount)
	return cause
}

// lastExit is how the container ended last; nil: it has not ended yet.
func lastExit(c corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if c.State.Terminated != nil {
		return c.State.Terminated
	}
	return c.LastTerminationState.Terminated
}

// refused is the exit code by which the gateway says that it does not accept its config.
const refused = 3

// exited: the container ended. Once can be chance; twice, or the gateway's own refusal of its config,
// is proof.
func (j *judge) exited(p *corev1.Pod, c corev1.ContainerStatus) {
	exit := lastExit(c)
	code := int(exit.ExitCode)
	reason := exit.Reason
	if c.State.Waiting != nil && c.State.Waiting.Reason != "" {
		reason = c.State.Waiting.Reason
	}
	cause := j.containerCause(p, c, "crash-loop", reason, exitMessage(c, exit))
	cause.ExitCode = &code
	cause.Previous = c.State.Terminated == nil
	proven := c.RestartCount >= 1
	switch {
	case strings.Contains(exit.Message, "exec format error"):
		cause.Code, cause.Message = "wrong-platform", "the image is not built for the processor of node "+p.Spec.NodeName
		proven = true
	case exit.Reason == "OOMKilled":
		cause.Code, cause.Message = "out-of-memory", "the container needed more memory than its limit allows"
		cause.Fix = "raise spec.resources.limits.memory in egk8s.yaml"
	case code == refused && c.Name == gatewayContainer:
		cause.Code, cause.Message = "config-refused", "the gateway refuses its configuration"
		proven = true
	case exit.Reason == "StartError", exit.Reason == "ContainerCannotRun":
		cause.Code, cause.Message = "start-failed", "the container cannot be started: "+short(exit.Message)
	default:
		j.killed(p, &cause)
	}
	x := suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, c.Name, "exited")}
	restarts, before := j.s.Before[p.UID]
	x.hold = !proven || before && c.RestartCount <= restarts
	j.suspect(x)
}

// killed tells a container that the kubelet ended for a failing probe from one that ended by itself.
func (j *judge) killed(p *corev1.Pod, cause *event.Cause) {
	if *cause.ExitCode != 137 && *cause.ExitCode != 143 && *cause.ExitCode != 0 {
		return
	}
	e := j.s.lastEvent(p.UID, "Unhealthy")
	if e != nil && (strings.HasPrefix(e.Message, "Liveness") || strings.HasPrefix(e.Message, "Startup")) {
		cause.Code, cause.Message = "probe-failed", "the kubelet restarts the container, for its probe fails: "+short(e.Message)
	}
}

// gatewayContainer is the name of the gateway's container in its pods.
const gatewayContainer = "gateway"

func exitMessage(c corev1.ContainerStatus, exit *corev1.ContainerStateTerminated) string {
	if exit.ExitCode == 0 {
		return fmt.Sprintf("container %s ends by itself instead of serving", c.Name)
	}
	return fmt.Sprintf("container %s ends with exit code %d", c.Name, exit.ExitCode)
}

// create: the container cannot be made, mostly for a Secret or key that is missing. What somebody
// else creates may come a moment later.
func (j *judge) create(p *corev1.Pod, c corev1.ContainerStatus) {
	w := c.State.Waiting
	cause := j.containerCause(p, c, "start-failed", w.Reason, "the container cannot be created: "+short(w.Message))
	if strings.Contains(w.Message, "not found") || strings.Contains(w.Message, "couldn't find key") {
		cause.Code, cause.Message = "missing-key", "the container needs something that is not there: "+short(w.Message)
		cause.Fix = "create it, or correct spec.secretEnv in egk8s.yaml"
	}
	j.suspect(suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, c.Name, w.Reason), after: 8 * time.Second})
}

// unready: the container runs and its readiness probe says no. Starting may take its time, so only a
// minute of it is proof.
func (j *judge) unready(p *corev1.Pod, c corev1.ContainerStatus) {
	e := j.s.lastEvent(p.UID, "Unhealthy")
	if e == nil || c.Ready || EventTime(e).Before(c.State.Running.StartedAt.Time) {
		return
	}
	cause := j.containerCause(p, c, "probe-failed", e.Reason, "the container runs and is not ready: "+short(e.Message))
	cause.Next = []string{"egk8s logs --pod " + p.Name}
	j.suspect(suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, c.Name, "unready"), after: time.Minute, since: c.State.Running.StartedAt.Time})
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
	case p.Spec.NodeName == "":
		v.State = event.Waiting
	}
	return v
}

// doing says in a word or two what a pod that is not ready does.
func (j *judge) doing(p *corev1.Pod) string {
	if p.Spec.NodeName == "" {
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

// short cuts a message of Kubernetes to one line.
func short(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.TrimSuffix(s, ".")
}

// between returns what stands in s between two texts; empty: they are not there.
func between(s, before, after string) string {
	_, s, ok := strings.Cut(s, before)
	if !ok {
		return ""
	}
	s, _, ok = strings.Cut(s, after)
	if !ok {
		return ""
	}
	return s
}
