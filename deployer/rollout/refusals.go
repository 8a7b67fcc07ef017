package rollout

import (
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/event"
)

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

// problem is one class of refusals.
type problem struct {
	code, message, fix string
	after              time.Duration
}

// createProblem reads the API server's refusal: its forms are those of the admission plug-ins of Kubernetes
// and OpenShift.
func createProblem(message string) problem {
	has := func(text string) bool { return strings.Contains(message, text) }
	switch {
	case has("because it is being terminated"):
		return problem{"namespace-terminating", terminating, "deploy into another namespace, or wait until this one is gone", 0}
	case has("failed quota") && has("must specify"):
		return problem{"quota", "the namespace's quota wants every pod to name its resources", "set spec.resources in egk8s.yaml", 3 * time.Second}
	case has("exceeded quota"), has("failed quota"):
		return problem{"quota", "the namespace's quota allows no further pod", "raise the quota, or lower spec.replicas or spec.resources in egk8s.yaml", 8 * time.Second}
	case has("violates PodSecurity"):
		return problem{"pod-security", "the namespace's PodSecurity level refuses the pod", "", 0}
	case has("security context constraint"):
		return problem{"pod-security", "no security context constraint admits the pod", "", 0}
	case has("per Container"), has("per Pod"), has("LimitRange"):
		return problem{"limit-range", "the namespace's limits refuse the pod", "set spec.resources in egk8s.yaml within the LimitRange", 0}
	case has("serviceaccount") && has("not found"):
		return problem{"service-account", "the pod's service account is missing", "", 6 * time.Second}
	case has("no PriorityClass"):
		return problem{"priority-class", "the pod's priority class is missing", "create it, or name another", 6 * time.Second}
	case has("RuntimeClass") && has("not found"):
		return problem{"runtime-class", "the pod's runtime class is missing", "create it, or name another", 6 * time.Second}
	case has("failed calling webhook"):
		return problem{"webhook", "an admission webhook that must be asked does not answer", "", 12 * time.Second}
	case has("denied the request"):
		return problem{"webhook", "an admission webhook refuses the pod", "", 3 * time.Second}
	case has("ValidatingAdmissionPolicy"):
		return problem{"policy", "an admission policy of the cluster refuses the pod", "", 3 * time.Second}
	case has(" is invalid: "):
		return problem{"failed-create", "the pod is not valid", "", 3 * time.Second}
	default:
		return problem{"failed-create", "the pod is refused", "", 10 * time.Second}
	}
}

// podRefusal removes what stands before the reason: pods "name-xyz" is forbidden:
func podRefusal(message string) string {
	if _, after, ok := strings.Cut(message, " is forbidden: "); ok {
		message = after
	}
	return short(message)
}
