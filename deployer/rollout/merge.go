package rollout

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"egk8s.dev/egk8s/deployer/event"
)

// merge makes one cause of what several pods suffer from alike, proven or not yet, and notes how many
// of the newest template's pods it holds for.
func (j *judge) merge(newest *appsv1.ReplicaSet) {
	pods := 0
	if newest != nil {
		for _, p := range j.s.pods(newest) {
			if p.DeletionTimestamp == nil {
				pods++
			}
		}
	}
	j.v.Causes = merged(j.v.Causes, pods)
	j.v.Waiting = merged(j.v.Waiting, pods)
	for i := range j.v.Causes {
		for _, w := range j.v.Waiting {
			if alike(j.v.Causes[i], w) {
				j.v.Causes[i].Pods += w.Pods
			}
		}
	}
}

// merged keeps the first of those that are alike.
func merged(causes []event.Cause, pods int) []event.Cause {
	var out []event.Cause
next:
	for _, c := range causes {
		for i := range out {
			if alike(out[i], c) {
				out[i].Pods++
				continue next
			}
			if out[i].Object == c.Object && out[i].Code == c.Code && out[i].Message == c.Message {
				continue next // what several pods wait for
			}
		}
		if strings.HasPrefix(c.Object, "Pod/") {
			c.Pods, c.OfPods = 1, pods
		}
		out = append(out, c)
	}
	return out
}

func alike(a, b event.Cause) bool {
	return strings.HasPrefix(a.Object, "Pod/") && strings.HasPrefix(b.Object, "Pod/") &&
		a.Code == b.Code && a.Container == b.Container && a.Message == b.Message
}
