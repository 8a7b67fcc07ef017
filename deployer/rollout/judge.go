package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
)

// Judge says how the rollout is. It is pure: the same snapshot gives the same verdict.
func Judge(s *Snapshot) Verdict {
	j := &judge{s: s}
	if s.Deployment == nil {
		j.gone()
		return j.v
	}
	d := s.Deployment
	j.v.Wanted = 1
	if d.Spec.Replicas != nil {
		j.v.Wanted = int(*d.Spec.Replicas)
	}
	observed := d.Generation >= s.Generation && d.Status.ObservedGeneration >= d.Generation
	newest := s.newest()
	if !observed {
		newest = nil // the ReplicaSet that is newest now is the old one
	}
	j.deployment(d, observed)
	for _, rs := range s.owned() {
		j.replicaSet(rs, rs == newest, observed)
	}
	// The pods too: their watch may lag behind the Deployment's, and who verifies needs each of them.
	done := observed && complete(d, j.v.Wanted) && j.v.Ready >= j.v.Wanted && len(j.v.Pods) >= j.v.Wanted
	done = done && j.served()
	j.rank()
	j.merge(newest)
	switch {
	case len(j.v.Causes) > 0:
		j.v.Phase = Failed
	case done:
		j.v.Phase = Complete
	}
	j.serving(newest)
	j.v.Views = append([]View{j.deploymentView(d)}, j.v.Views...)
	return j.v
}

// complete is what kubectl rollout status calls successfully rolled out.
func complete(d *appsv1.Deployment, wanted int) bool {
	st := d.Status
	return int(st.UpdatedReplicas) >= wanted && st.Replicas <= st.UpdatedReplicas && int(st.AvailableReplicas) >= wanted
}

type judge struct {
	s *Snapshot
	v Verdict
}

// suspicion is a cause that is proven once its mark has been seen for some time.
type suspicion struct {
	cause event.Cause
	mark  string
	after time.Duration
	since time.Time // when the cluster says that it began; zero: when the mark was first seen
	born  time.Time // of the object: for a glance, the best guess of when it began
	hold  bool      // something is under way that may still mend it
}

func (j *judge) suspect(x suspicion) {
	j.v.Marks = append(j.v.Marks, x.mark)
	since, seen := j.s.Since[x.mark]
	switch {
	case !seen && j.s.Glance && !x.born.IsZero():
		since = x.born
	case !seen:
		since = j.s.Now
	}
	if !x.since.IsZero() && x.since.Before(since) {
		since = x.since
	}
	if since.Before(j.s.Begun) {
		since = j.s.Begun // what went before may have been mended by what began then
	}
	proof := since.Add(x.after)
	switch {
	case x.hold:
		j.v.Waiting = append(j.v.Waiting, x.cause)
	case j.s.Now.Before(proof):
		j.v.Waiting = append(j.v.Waiting, x.cause)
		j.wake(proof)
	default:
		j.v.Causes = append(j.v.Causes, x.cause)
	}
}

func (j *judge) deployment(d *appsv1.Deployment, observed bool) {
	object := "Deployment/" + d.Name
	if d.Spec.Paused {
		j.suspect(suspicion{
			mark: "paused", after: 5 * time.Second,
			cause: event.Cause{
				Code: "paused", Object: object, Reason: "Paused", Message: "somebody paused the Deployment, so nothing new starts",
				Fix: "resume it", Next: []string{"kubectl rollout resume deployment/" + d.Name + " -n " + d.Namespace},
			},
		})
	}
	if !observed {
		j.unobserved(d)
		return
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse && c.Reason == "ProgressDeadlineExceeded" &&
			!c.LastUpdateTime.Time.Before(j.s.Begun.Truncate(time.Second)) {
			j.v.Causes = append(j.v.Causes, event.Cause{
				Code: "progress-deadline", Object: object, Reason: c.Reason,
				Message: fmt.Sprintf("no progress within the Deployment's deadline: %d of %d new replicas are ready", d.Status.UpdatedReplicas-d.Status.UnavailableReplicas, j.v.Wanted),
				Events:  kubeEvents(j.s.eventsOf(d.UID), j.s.Now),
			})
		}
	}
}

// unobserved: the control plane has not looked at the change yet.
func (j *judge) unobserved(d *appsv1.Deployment) {
	if d.Generation < j.s.Generation {
		return // the change has not reached this watch
	}
	j.suspect(suspicion{
		mark: fmt.Sprintf("unobserved/%d", d.Generation), after: 45 * time.Second,
		cause: event.Cause{
			Code: "controller-silent", Object: "Deployment/" + d.Name, Reason: "NotObserved",
			Message: "the cluster's Deployment controller has not looked at the change", Next: []string{"kubectl get pods -n kube-system"},
		},
	})
}

// replicaSet judges the newest ReplicaSet and shows the others for as long as they have pods.
func (j *judge) replicaSet(rs *appsv1.ReplicaSet, newest, observed bool) {
	pods := j.s.pods(rs)
	if !newest && len(pods) == 0 {
		return
	}
	wanted := int64(0)
	if rs.Spec.Replicas != nil {
		wanted = int64(*rs.Spec.Replicas)
	}
	view := View{
		Object: "ReplicaSet/" + rs.Name, Parent: "Deployment/" + j.s.Deployment.Name, State: event.Progressing,
		Progress: &event.Count{Done: int64(rs.Status.ReadyReplicas), Total: wanted, Unit: "replicas"},
	}
	switch {
	case newest:
		view.Message = "new"
		j.v.Ready = int(rs.Status.ReadyReplicas)
		if rs.Status.ReadyReplicas >= int32(wanted) && wanted >= int64(j.v.Wanted) {
			view.State = event.Ready
		}
		j.failedCreate(rs, &view)
		j.evicted(rs, pods)
	case observed:
		view.Message, view.State = "old", event.Draining
		if wanted > 0 && int64(len(pods)) <= wanted {
			view.State = event.Ready // it serves on until new pods are ready
		}
		j.v.Old += int(rs.Status.ReadyReplicas)
	default:
		view.State = event.Ready
		j.v.Old += int(rs.Status.ReadyReplicas)
	}
	at := len(j.v.Views)
	j.v.Views = append(j.v.Views, view)
	for _, p := range pods {
		before := len(j.v.Causes)
		if newest {
			j.pod(p)
			j.replica(p)
		}
		j.v.Views = append(j.v.Views, j.podView(p, view.Object, len(j.v.Causes) > before))
		if len(j.v.Causes) > before {
			j.v.Views[at].State = event.Failed
		}
	}
}

func (j *judge) deploymentView(d *appsv1.Deployment) View {
	v := View{
		Object: "Deployment/" + d.Name, State: event.Progressing,
		Progress: &event.Count{Done: int64(j.v.Ready), Total: int64(j.v.Wanted), Unit: "replicas"},
	}
	switch j.v.Phase {
	case Complete:
		v.State = event.Ready
	case Failed:
		v.State, v.Message = event.Failed, j.v.Causes[0].Message
	default:
		if len(j.v.Waiting) > 0 {
			v.Message = j.v.Waiting[0].Message
		}
	}
	return v
}

// rank puts the cause first that explains the others.
func (j *judge) rank() {
	order := []string{
		"namespace-terminating", "config-refused", "digest-differs", "wrong-platform", "image-pull", "image-name", "missing-key", "out-of-memory",
		"crash-loop", "start-failed", "volume", "volume-claim", "sandbox", "pod-security", "limit-range", "quota", "service-account",
		"priority-class", "runtime-class", "webhook", "policy", "failed-create", "node-lost", "evicted", "unschedulable", "no-scheduler",
		"probe-failed", "readiness-gate", "no-endpoints", "paused", "controller-silent", "progress-deadline",
	}
	rank := func(c event.Cause) int { return slices.Index(order, c.Code) }
	by := func(a, b event.Cause) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Object, b.Object))
	}
	slices.SortStableFunc(j.v.Causes, by)
	slices.SortStableFunc(j.v.Waiting, by)
	// A deadline that passed is explained by what was suspected until then.
	if len(j.v.Causes) > 0 && j.v.Causes[0].Code == "progress-deadline" && len(j.v.Waiting) > 0 {
		j.v.Causes = append(slices.Clone(j.v.Waiting), j.v.Causes...)
		j.v.Waiting = nil
	}
	if len(j.v.Causes) > 1 { // beside a reason the deadline says nothing new
		j.v.Causes = slices.DeleteFunc(j.v.Causes, func(c event.Cause) bool { return c.Code == "progress-deadline" })
	}
}

// serving tells every cause what still serves meanwhile.
func (j *judge) serving(newest *appsv1.ReplicaSet) {
	text := ""
	switch {
	case j.v.Old > 0:
		text = fmt.Sprintf("%d old %s still serving", j.v.Old, plural(j.v.Old, "replica is", "replicas are"))
	case newest != nil && j.v.Ready > 0:
		text = fmt.Sprintf("%d of %d new replicas serve", j.v.Ready, j.v.Wanted)
	}
	for i := range j.v.Causes {
		j.v.Causes[i].Serving = text
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// kubeEvents shortens the last events of an object for a cause.
func kubeEvents(list []*corev1.Event, now time.Time) []event.KubeEvent {
	const most = 5
	var out []event.KubeEvent
	for _, e := range list {
		if e.Type != corev1.EventTypeNormal || e.Reason == "Killing" {
			out = append(out, event.KubeEvent{
				Age: now.Sub(object.EventTime(e)).Truncate(time.Second), Type: e.Type, Reason: e.Reason,
				Message: strings.TrimSpace(e.Message), Count: object.EventCount(e),
			})
		}
	}
	return out[max(0, len(out)-most):]
}
