// Package rollout watches a release become healthy. Watches fill a store; pure rules over a snapshot
// of it say how every object is, and, once there is proof, why the rollout cannot succeed.
package rollout

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/object"
)

// Snapshot is all that is known at one moment.
type Snapshot struct {
	Now         time.Time
	Generation  int64 // of the Deployment that the rollout is about; an older one is not judged
	Deployment  *appsv1.Deployment
	ReplicaSets []*appsv1.ReplicaSet
	Pods        []*corev1.Pod
	Events      []*corev1.Event
	Name        string // of the Deployment and the Service
	// What rules asked for (Verdict.Lacks), as far as it could be read.
	Claims    []*corev1.PersistentVolumeClaim
	Service   *corev1.Service // nil: there is none
	Slices    []*discovery.EndpointSlice
	Nodes     []*corev1.Node
	Namespace *corev1.Namespace
	Answers   map[string]Answer // pod name -> what it says of itself
	// Known says of a fact that was asked for whether it was read; false: it may not be.
	Known map[Fact]bool
	// Since says when a mark was seen first: Verdict.Marks of the snapshot before. A mark that is
	// not in it was not seen before Now.
	Since map[string]time.Time
	// Begun is when the rollout began; what was wrong before proves nothing about it. Zero: unknown.
	Begun time.Time
	// Before are the pods that were failing when it began, with the restarts they had then: only a
	// further one says anything.
	Before map[types.UID]int32
	// Glance is true when nothing was seen before: what is wrong now is taken to have been wrong
	// since the object was made.
	Glance bool
}

// Phase is how far a rollout is.
type Phase int

// The phases.
const (
	Progressing Phase = iota
	Complete
	Failed
)

// View is one object as every view shows it.
type View struct {
	Object   string // Kind/name
	Parent   string
	State    event.State
	Message  string
	Progress *event.Count
}

// Replica is one ready pod of the newest template.
type Replica struct {
	Name, IP, Node string
	Image          string // as the pod asks for it
	ImageID        string // as the node names what runs
}

// Verdict is what the rules make of a snapshot.
type Verdict struct {
	Phase   Phase
	Wanted  int
	Ready   int // of the newest pod template
	Old     int // ready replicas of older ones
	Pods    []Replica
	Causes  []event.Cause
	Waiting []event.Cause // what may become a cause and is not proven
	Views   []View
	Marks   []string
	Lacks   []Fact // what is not known and might change the verdict
	// Next is when a suspicion becomes proof if nothing changes; zero: nothing waits for time.
	Next time.Time
}

// newest returns the ReplicaSet of the Deployment's current template; nil: not made yet.
func (s *Snapshot) newest() *appsv1.ReplicaSet {
	want := s.Deployment.Annotations[revisionAnnotation]
	for _, rs := range s.owned() {
		if want != "" && rs.Annotations[revisionAnnotation] == want {
			return rs
		}
	}
	return nil
}

const revisionAnnotation = "deployment.kubernetes.io/revision"

// owned returns the Deployment's ReplicaSets that matter, newest first.
func (s *Snapshot) owned() []*appsv1.ReplicaSet {
	var out []*appsv1.ReplicaSet
	for _, rs := range s.ReplicaSets {
		if controlledBy(rs, s.Deployment.UID) {
			out = append(out, rs)
		}
	}
	slices.SortFunc(out, func(a, b *appsv1.ReplicaSet) int {
		return cmp.Or(cmp.Compare(revision(b), revision(a)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func revision(rs *appsv1.ReplicaSet) int {
	n, _ := strconv.Atoi(rs.Annotations[revisionAnnotation])
	return n
}

// pods returns the pods of a ReplicaSet by name.
func (s *Snapshot) pods(rs *appsv1.ReplicaSet) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range s.Pods {
		if controlledBy(p, rs.UID) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// leaving tells whether pods of the release are on their way out: what they hold becomes free.
func (s *Snapshot) leaving() bool {
	return slices.ContainsFunc(s.Pods, func(p *corev1.Pod) bool { return p.DeletionTimestamp != nil })
}

// eventsOf returns the events about an object, newest last.
func (s *Snapshot) eventsOf(uid types.UID) []*corev1.Event {
	var out []*corev1.Event
	for _, e := range s.Events {
		if e.InvolvedObject.UID == uid {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *corev1.Event) int {
		// Within a second the name decides: its end is the time in nanoseconds.
		return cmp.Or(object.EventTime(a).Compare(object.EventTime(b)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// lastEvent returns the newest event with one of the reasons; nil: none.
func (s *Snapshot) lastEvent(uid types.UID, reasons ...string) *corev1.Event {
	for _, e := range slices.Backward(s.eventsOf(uid)) {
		if slices.Contains(reasons, e.Reason) {
			return e
		}
	}
	return nil
}

// firstTime is when an event that repeats was first told.
func firstTime(e *corev1.Event) time.Time {
	if !e.FirstTimestamp.IsZero() {
		return e.FirstTimestamp.Time
	}
	return e.CreationTimestamp.Time
}

func controlledBy(o metav1.Object, uid types.UID) bool {
	ref := metav1.GetControllerOf(o)
	return ref != nil && ref.UID == uid
}
