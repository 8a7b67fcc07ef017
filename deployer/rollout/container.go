package rollout

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
)

// container judges one container of a pod that is not ready.
func (j *judge) container(p *corev1.Pod, c corev1.ContainerStatus) {
	w := c.State.Waiting
	switch {
	case w != nil && imageReason(w.Reason):
		j.image(p, c)
	case w != nil && (w.Reason == "CreateContainerConfigError" || w.Reason == "CreateContainerError"):
		j.create(p, c)
	case lastExit(c) != nil && c.State.Running == nil:
		j.exited(p, c)
	case w != nil && w.Reason != "" && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing":
		cause := j.containerCause(p, c, "start-failed", w.Reason, "the container cannot be started: "+short(cmp.Or(w.Message, w.Reason)))
		after := 20 * time.Second // a word that this egk8s does not know
		if w.Reason == "RunContainerError" || w.Reason == "PostStartHookError" {
			after = 8 * time.Second
		}
		j.suspect(suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, c.Name, w.Reason), after: after})
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
// minute of it is proof; a gateway that has loaded another configuration than its template's will not
// load the right one any more.
func (j *judge) unready(p *corev1.Pod, c corev1.ContainerStatus) {
	e := j.s.lastEvent(p.UID, "Unhealthy")
	if e == nil || c.Ready || object.EventTime(e).Before(c.State.Running.StartedAt.Time) {
		return
	}
	cause := j.containerCause(p, c, "probe-failed", e.Reason, "the container runs and is not ready: "+short(e.Message))
	cause.Next = []string{"egk8s logs --pod " + p.Name}
	x := suspicion{born: p.CreationTimestamp.Time, mark: mark(p, c.Name, "unready"), after: time.Minute, since: c.State.Running.StartedAt.Time}
	if a, ok := j.answer(p, c); ok {
		if a.Reason != "" {
			cause.Message = "the gateway runs and is not ready: " + a.Reason
		}
		if a.Loaded != "" && a.Expected != "" && a.Loaded != a.Expected {
			cause.Code, cause.Reason = "digest-differs", "ConfigDigest"
			cause.Message = fmt.Sprintf("the replica does not serve what was deployed: it has loaded config %.10s, not %.10s", a.Loaded, a.Expected)
			x.after = 5 * time.Second
		}
	}
	x.cause = cause
	j.suspect(x)
}

// answer is what the gateway says of itself, asked for once it should have become ready.
func (j *judge) answer(p *corev1.Pod, c corev1.ContainerStatus) (Answer, bool) {
	if c.Name != gatewayContainer {
		return Answer{}, false
	}
	if ask := c.State.Running.StartedAt.Add(nodeLook); j.s.Now.Before(ask) {
		j.wake(ask)
		return Answer{}, false
	}
	if j.know(AnswerFact(p.Name)) != known {
		return Answer{}, false
	}
	a, ok := j.s.Answers[p.Name]
	return a, ok
}
