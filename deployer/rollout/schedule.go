package rollout

import (
	"cmp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// placed tells whether a node has the pod.
func placed(p *corev1.Pod) bool {
	return p.Spec.NodeName != "" || len(p.Status.ContainerStatuses) > 0
}

// unplaced: no node has the pod yet.
func (j *judge) unplaced(p *corev1.Pod) {
	for _, c := range p.Status.Conditions {
		if c.Type != corev1.PodScheduled || c.Status != corev1.ConditionFalse {
			continue
		}
		switch c.Reason {
		case corev1.PodReasonSchedulingGated:
			j.suspect(suspicion{mark: mark(p, "gated"), hold: true, cause: j.cause(p, "unschedulable", c.Reason, "a scheduling gate holds the pod back: "+gates(p))})
		case corev1.PodReasonUnschedulable:
			j.unschedulable(p, c)
		}
		return
	}
	if j.claims(p, "") {
		return // the scheduler waits for the volumes before it says anything
	}
	if soon := p.CreationTimestamp.Add(5 * time.Second); j.s.Now.Before(soon) {
		j.wake(soon)
		return // it is new: nothing to speak of yet
	}
	name := cmp.Or(p.Spec.SchedulerName, corev1.DefaultSchedulerName)
	cause := j.cause(p, "no-scheduler", "Pending", "no scheduler has looked at the pod; it asks for "+name)
	cause.Next = []string{"kubectl get pods -n kube-system"}
	j.suspect(suspicion{cause: cause, mark: mark(p, "no-scheduler"), after: 45 * time.Second, since: p.CreationTimestamp.Time})
}

func gates(p *corev1.Pod) string {
	names := make([]string, len(p.Spec.SchedulingGates))
	for i, g := range p.Spec.SchedulingGates {
		names[i] = g.Name
	}
	return strings.Join(names, ", ")
}

// unschedulable: no node takes the pod. An autoscaler that is adding one, or pods that are leaving,
// may still make room; nodes that are about to become ready may take it.
func (j *judge) unschedulable(p *corev1.Pod, c corev1.PodCondition) {
	if strings.Contains(strings.ToLower(c.Message), "persistentvolumeclaim") && j.claims(p, c.Message) {
		return
	}
	cause := j.cause(p, "unschedulable", c.Reason, "no node can take the pod: "+short(c.Message))
	cause.Fix = schedulingFix(c.Message)
	cause.Next = []string{"kubectl describe nodes"}
	after := 10 * time.Second
	// Both the cluster autoscaler and Karpenter say on the pod what they do for it; the last word counts.
	scaling := j.s.lastEvent(p.UID, "TriggeredScaleUp", "Nominated", "NotTriggerScaleUp", "FailedToScaleUpGroup")
	adding := scaling != nil && (scaling.Reason == "TriggeredScaleUp" || scaling.Reason == "Nominated")
	switch {
	case scaling != nil && scaling.Reason == "NotTriggerScaleUp":
		after = 3 * time.Second
	case strings.Contains(c.Message, corev1.TaintNodeNotReady), strings.Contains(c.Message, "node.cloudprovider.kubernetes.io/uninitialized"):
		after = time.Minute // a node that has just joined
	}
	j.suspect(suspicion{
		cause: cause, born: p.CreationTimestamp.Time, mark: mark(p, "unschedulable"), after: after, since: c.LastTransitionTime.Time,
		hold: j.s.leaving() || adding,
	})
}

func schedulingFix(message string) string {
	has := func(text string) bool { return strings.Contains(message, text) }
	switch {
	case has(corev1.TaintNodeUnreachable), has(corev1.TaintNodeNotReady):
		return "nodes are not ready: see why, or add one"
	case has("Insufficient"), has("Too many pods"):
		return "lower spec.resources.requests or spec.replicas in egk8s.yaml, or add a node"
	case has("untolerated taint"):
		return "no node without a taint is left: add a node, or remove the taint"
	case has("node(s) were unschedulable"):
		return "the nodes are cordoned: kubectl uncordon NODE, or add one"
	case has("didn't find available persistent volumes"), has("volume node affinity conflict"):
		return "the volume is bound to nodes that cannot take the pod: make a volume elsewhere, or make room there"
	case has("anti-affinity"), has("topology spread"):
		return "the pods must stand apart and there are too few nodes for that: lower spec.replicas in egk8s.yaml, or add a node"
	case has("free ports"):
		return "another pod holds the host port on every node"
	case has("node affinity"), has("node selector"), has("affinity/selector"):
		return "no node has the labels that the pod asks for"
	default:
		return ""
	}
}
