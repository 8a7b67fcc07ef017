package rollout

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/event"
)

// How long a pod may be unready before its node is looked at, how long a node may be gone, and how soon
// the cluster must replace its pods by itself for that to be waited for.
const (
	nodeLook   = 10 * time.Second
	nodeAway   = 15 * time.Second
	nodeSilent = 30 * time.Second
	evictSoon  = time.Minute
)

// nodeLost tells whether the pod's node has stopped answering: then nothing that the pod's status says is
// news. The node may come back, and the cluster replaces its pods after the time of their tolerations; where
// that time is long, the loss is the cause.
func (j *judge) nodeLost(p *corev1.Pod) bool {
	away, why := j.nodeAway(p)
	if away.IsZero() {
		return false
	}
	cause := j.cause(p, "node-lost", "NodeNotReady", fmt.Sprintf("node %s of the pod does not answer%s", p.Spec.NodeName, why))
	cause.Fix = "bring the node back, or delete it: its pods are replaced then"
	cause.Next = []string{"kubectl describe node " + p.Spec.NodeName}
	x := suspicion{cause: cause, mark: mark(p, "node"), after: nodeAway, since: away}
	if evicts, ever := evictedAfter(p); ever && away.Add(evicts).Sub(j.s.Now) <= evictSoon {
		x.hold = true
	}
	j.suspect(x)
	return true
}

// nodeAway tells since when the node has been away; zero: it is there, as far as is known. Without the right
// to read nodes its pods tell, those of other templates too.
func (j *judge) nodeAway(p *corev1.Pod) (since time.Time, why string) {
	if p.Spec.NodeName == "" {
		return since, ""
	}
	for _, other := range j.s.Pods {
		if told := awayBy(other); other.Spec.NodeName == p.Spec.NodeName && !told.IsZero() && (since.IsZero() || told.Before(since)) {
			since = told
		}
	}
	if since.IsZero() {
		since = j.untaken(p)
	}
	look := p.CreationTimestamp.Add(nodeLook)
	if since.IsZero() && j.s.Now.Before(look) {
		j.wake(look)
		return since, ""
	}
	if j.know(NodeFact(p.Spec.NodeName)) != known {
		return since, ""
	}
	n := j.s.node(p.Spec.NodeName)
	if n == nil {
		return since, ": it is not in the cluster any more"
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			return c.LastTransitionTime.Time, ": " + short(c.Message)
		}
	}
	return time.Time{}, ""
}

// awayBy is since when a pod says that its node is away: only the node controller takes readiness away from a
// pod whose containers are all ready. Zero: it says nothing.
func awayBy(p *corev1.Pod) time.Time {
	if p.Status.Reason == "NodeLost" {
		return p.CreationTimestamp.Time
	}
	ready := condition(p, corev1.PodReady)
	if ready == nil || ready.Status == corev1.ConditionTrue || len(p.Spec.ReadinessGates) > 0 || !containersReady(p) {
		return time.Time{}
	}
	return ready.LastTransitionTime.Time
}

// untaken is since when a node has not taken up a pod that it was given, once that lasts: a kubelet that lives
// says within seconds that it has begun. Zero: it has taken it up, or still may.
func (j *judge) untaken(p *corev1.Pod) time.Time {
	given := condition(p, corev1.PodScheduled)
	if given == nil || given.Status != corev1.ConditionTrue || p.Status.StartTime != nil || len(p.Status.ContainerStatuses) > 0 {
		return time.Time{}
	}
	late := given.LastTransitionTime.Add(nodeSilent)
	if j.s.Now.Before(late) {
		j.wake(late)
		return time.Time{}
	}
	return given.LastTransitionTime.Time
}

func condition(p *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i, c := range p.Status.Conditions {
		if c.Type == kind {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

func containersReady(p *corev1.Pod) bool {
	if len(p.Status.ContainerStatuses) == 0 {
		return false
	}
	for _, c := range p.Status.ContainerStatuses {
		if !c.Ready || c.State.Running == nil {
			return false
		}
	}
	return true
}

// evictedAfter is how long the pod stays bound to a node that does not answer; false: for ever.
func evictedAfter(p *corev1.Pod) (time.Duration, bool) {
	for _, t := range p.Spec.Tolerations {
		away := t.Key == corev1.TaintNodeUnreachable || t.Key == corev1.TaintNodeNotReady || t.Key == "" && t.Operator == corev1.TolerationOpExists
		if !away || t.Effect != "" && t.Effect != corev1.TaintEffectNoExecute {
			continue
		}
		if t.TolerationSeconds == nil {
			return 0, false
		}
		return time.Duration(*t.TolerationSeconds) * time.Second, true
	}
	return 0, true
}

// evicted: kubelets refuse the template's pods, or throw them out. The ReplicaSet makes others; a second
// one that ends the same way is proof.
func (j *judge) evicted(rs *appsv1.ReplicaSet, pods []*corev1.Pod) {
	if int(rs.Status.ReadyReplicas) >= j.v.Wanted {
		return // what lies about is of another day
	}
	ends := map[string][]*corev1.Pod{}
	var order []string
	for _, p := range pods {
		if p.Status.Phase != corev1.PodFailed || p.DeletionTimestamp != nil || !j.recent(p) {
			continue
		}
		reason := p.Status.Reason
		if reason == "" {
			reason = "Failed"
		}
		if ends[reason] == nil {
			order = append(order, reason)
		}
		ends[reason] = append(ends[reason], p)
	}
	for _, reason := range order {
		list := ends[reason]
		last := list[len(list)-1]
		cause := j.cause(last, "evicted", reason, fmt.Sprintf("%d pods were ended by their nodes: %s", len(list), short(last.Status.Message)))
		cause.Fix = evictionFix(reason, last.Status.Message)
		cause.Next = []string{"kubectl describe pod " + last.Name + " -n " + last.Namespace}
		j.suspect(suspicion{cause: cause, mark: string(rs.UID) + "/evicted/" + reason, hold: len(list) < 2})
	}
}

// recent tells whether a pod is of the rollout that is judged, or, for a glance, of the last ten minutes.
func (j *judge) recent(p *corev1.Pod) bool {
	begun := j.s.Begun.Truncate(time.Second)
	if j.s.Glance {
		begun = j.s.Now.Add(-10 * time.Minute)
	}
	return !p.CreationTimestamp.Time.Before(begun)
}

func evictionFix(reason, message string) string {
	switch {
	case reason == "Evicted" && strings.Contains(message, "ephemeral"):
		return "the node's disk is full: free it, or add a node"
	case reason == "Evicted", strings.HasPrefix(reason, "OutOf"):
		return "the nodes have too little left: lower spec.resources in egk8s.yaml, or add a node"
	default:
		return ""
	}
}

// wake makes the snapshot be judged again at that time.
func (j *judge) wake(at time.Time) {
	if j.v.Next.IsZero() || at.Before(j.v.Next) {
		j.v.Next = at
	}
}

// gate: every container is ready, and something outside the pod has not said so yet: a load balancer's
// health check, mostly, which takes its time.
func (j *judge) gate(p *corev1.Pod) {
	inner := condition(p, corev1.ContainersReady)
	if len(p.Spec.ReadinessGates) == 0 || inner == nil || inner.Status != corev1.ConditionTrue {
		return
	}
	for _, g := range p.Spec.ReadinessGates {
		if c := condition(p, g.ConditionType); c != nil && c.Status == corev1.ConditionTrue {
			continue
		}
		cause := j.cause(p, "readiness-gate", "ReadinessGatesNotReady", fmt.Sprintf("every container is ready, and %s has not said so", g.ConditionType))
		if c := condition(p, g.ConditionType); c != nil && c.Message != "" {
			cause.Message += ": " + short(c.Message)
		}
		j.suspect(suspicion{cause: cause, mark: mark(p, string(g.ConditionType)), after: 3 * time.Minute, since: inner.LastTransitionTime.Time})
	}
}

// gone: somebody deleted what is being rolled out, alone or with its namespace.
func (j *judge) gone() {
	if j.s.Generation == 0 || j.s.Glance {
		return // whether there should be one is not known
	}
	cause := event.Cause{Code: "deleted", Object: "Deployment/" + j.s.Name, Reason: "Deleted", Message: "somebody deleted the Deployment while it was rolled out", Next: []string{"egk8s deploy"}}
	if j.know(Namespace) == known && (j.s.Namespace == nil || j.s.Namespace.DeletionTimestamp != nil) {
		cause.Code, cause.Message, cause.Next = "namespace-terminating", terminating, nil
	}
	j.suspect(suspicion{cause: cause, mark: "deleted", after: 2 * time.Second})
	if len(j.v.Causes) > 0 {
		j.v.Phase = Failed
	}
}

const terminating = "the namespace is being deleted, with all that is in it"
