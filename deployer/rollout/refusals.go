package rollout

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/event"
)

// image: the kubelet cannot get the image. What the registry says for good is proof at its second
// look; an unreachable registry may come back.
func (j *judge) image(p *corev1.Pod, c corev1.ContainerStatus) {
	w := c.State.Waiting
	message := w.Message
	// A back-off tells nothing; the event of the try before tells why.
	if e := j.s.lastEvent(p.UID, "Failed"); e != nil && (w.Reason == "ImagePullBackOff" || message == "") && strings.Contains(e.Message, "pull") {
		message = e.Message
	}
	kind := imageProblem(w.Reason, message)
	cause := j.containerCause(p, c, kind.code, w.Reason, kind.message+": "+c.Image)
	cause.Fix = kind.fix
	if kind.code == "image-pull" && kind.fix == "" {
		cause.Message += ": " + short(innermost(message))
	}
	j.suspect(suspicion{cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, c.Name, "image"), after: kind.after})
}

// innermost leaves of an error of the container runtime what the registry or the network said: each layer
// before it only repeats the image's name.
func innermost(message string) string {
	for _, before := range []string{"failed to do request: ", "failed to resolve reference ", "failed to pull and unpack image "} {
		if _, after, ok := strings.Cut(message, before); ok {
			return after
		}
	}
	return message
}

type imageKind struct {
	code, message, fix string
	after              time.Duration
}

func imageProblem(reason, message string) imageKind {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(strings.ToLower(message), w) {
				return true
			}
		}
		return false
	}
	sure := 4 * time.Second
	switch {
	case reason == "InvalidImageName":
		return imageKind{"image-name", "the image's name is not valid", "correct spec.image.repository in egk8s.yaml", 0}
	case reason == "ErrImageNeverPull":
		return imageKind{"image-pull", "the image is not on the node and may not be pulled", "load it: egk8s image load", 0}
	case has("no match for platform", "no matching manifest"):
		return imageKind{"wrong-platform", "the image is not built for the node's processor", "push it for all platforms: egk8s image push", 0}
	case has("unauthorized", "authentication required", "access denied", "403 forbidden", "no basic auth"):
		return imageKind{"image-pull", "the registry does not let the node pull the image", "add a pull Secret to spec.image.pullSecrets in egk8s.yaml", sure}
	case has("http response to https client"):
		return imageKind{"image-pull", "the registry speaks plain HTTP and the node expects HTTPS", "configure the node's container runtime for this registry", sure}
	case has("not found", "manifest unknown", "name unknown", "does not exist", "not known to registry"):
		return imageKind{"image-pull", "the image does not exist", "correct the image's name, or push it: egk8s image push", sure}
	default:
		return imageKind{"image-pull", "the node cannot pull the image", "", 45 * time.Second}
	}
}

// failedCreate: the ReplicaSet may not make pods, so no pod ever shows a problem.
func (j *judge) failedCreate(rs *appsv1.ReplicaSet, view *View) {
	for _, c := range rs.Status.Conditions {
		if c.Type != appsv1.ReplicaSetReplicaFailure || c.Status != corev1.ConditionTrue {
			continue
		}
		kind := createProblem(c.Message)
		cause := event.Cause{
			Code: kind.code, Object: "ReplicaSet/" + rs.Name, Reason: c.Reason, Message: kind.message + ": " + podRefusal(c.Message),
			Fix: kind.fix, Events: kubeEvents(j.s.eventsOf(rs.UID), j.s.Now),
		}
		before := len(j.v.Causes)
		j.suspect(suspicion{
			cause: cause, mark: string(rs.UID) + "/create", after: kind.after, since: c.LastTransitionTime.Time,
			hold: kind.code == "quota" && j.s.leaving(),
		})
		view.Message = cause.Message
		if len(j.v.Causes) > before {
			view.State = event.Failed
		}
	}
}

func createProblem(message string) imageKind {
	has := func(text string) bool { return strings.Contains(message, text) }
	switch {
	case has("exceeded quota"), has("failed quota"):
		return imageKind{"quota", "the namespace's quota allows no further pod", "raise the quota, or lower spec.replicas or spec.resources in egk8s.yaml", 8 * time.Second}
	case has("violates PodSecurity"):
		return imageKind{"pod-security", "the namespace's PodSecurity level refuses the pod", "", 0}
	case has("security context constraint"):
		return imageKind{"pod-security", "no security context constraint admits the pod", "", 0}
	case has("per Container"), has("per Pod"), has("LimitRange"):
		return imageKind{"limit-range", "the namespace's limits refuse the pod", "set spec.resources in egk8s.yaml within the LimitRange", 0}
	case has("serviceaccount") && has("not found"):
		return imageKind{"service-account", "the pod's service account is missing", "", 6 * time.Second}
	case has("denied the request"):
		return imageKind{"webhook", "an admission webhook refuses the pod", "", 3 * time.Second}
	case has("failed calling webhook"):
		return imageKind{"webhook", "an admission webhook that must be asked does not answer", "", 12 * time.Second}
	default:
		return imageKind{"failed-create", "the pod is refused", "", 10 * time.Second}
	}
}

// podRefusal removes what stands before the reason: pods "name-xyz" is forbidden:
func podRefusal(message string) string {
	if _, after, ok := strings.Cut(message, " is forbidden: "); ok {
		message = after
	}
	return short(message)
}
