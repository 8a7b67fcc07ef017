package deployer

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/release"
)

// EventsOptions say which Kubernetes events to read.
type EventsOptions struct {
	Target
	Name     string
	Object   string // Kind/name; empty: all objects of the release
	Warnings bool   // only events that are not Normal
	Follow   bool   // go on until ctx ends, with events that come later too
}

// Occurrence is one Kubernetes event about an object of a release.
type Occurrence struct {
	Time    time.Time `json:"time"` // when it was last seen
	Type    string    `json:"type"` // Normal, Warning
	Object  string    `json:"object"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Count   int       `json:"count"`
}

// Events gives the events about a release's objects to out, oldest first and never two at the same time. With Follow
// it goes on until ctx ends, and that is no error. Kubernetes keeps events for an hour unless told otherwise.
func Events(ctx context.Context, opts EventsOptions, out func(Occurrence)) error {
	s, err := connect(opts.Target, nil, opts.Name, "")
	if err != nil {
		return err
	}
	state, err := s.store.State(ctx)
	if err != nil {
		return err
	}
	if len(state.Inventory) == 0 {
		if _, err := s.client.Get(ctx, s.deploymentRef()); cluster.IsNotFound(err) {
			return s.notDeployed(ctx)
		}
	}
	r := &eventReader{opts: opts, belongs: belongs(s.name, state.Inventory), out: out, told: map[string]int{}}
	sel := cluster.Selection{Kind: object.Ref{Version: "v1", Kind: "Event"}, Namespace: s.namespace}
	if opts.Follow {
		return s.client.Follow(ctx, sel, r)
	}
	list, err := s.client.List(ctx, sel)
	if err != nil {
		return err
	}
	r.Reset(list)
	return nil
}

// belongs tells which objects are those of a release: what its inventory holds, and what Kubernetes made of these.
// Pods and ReplicaSets that are gone have events still, so that their names decide: the hash and the suffix that
// Kubernetes appends are of an alphabet without vowels.
func belongs(name string, inventory []release.Entry) func(ref corev1.ObjectReference) bool {
	own := map[string]bool{"Deployment/" + name: true, "Service/" + name: true}
	for _, e := range inventory {
		own[e.Kind+"/"+e.Name] = true
	}
	made := regexp.MustCompile(`^` + regexp.QuoteMeta(name) + `-[bcdfghjklmnpqrstvwxz2456789]{6,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?$`)
	return func(ref corev1.ObjectReference) bool {
		switch ref.Kind {
		case "Pod", "ReplicaSet":
			return made.MatchString(ref.Name) || own[ref.Kind+"/"+ref.Name]
		default:
			return own[ref.Kind+"/"+ref.Name]
		}
	}
}

// eventReader is a cluster.Observer that gives what it sees to out.
type eventReader struct {
	opts    EventsOptions
	belongs func(corev1.ObjectReference) bool

	mu   sync.Mutex // serialises out
	out  func(Occurrence)
	told map[string]int // UID of an event, to the count that was told
}

// Reset takes all events there are, oldest first.
func (r *eventReader) Reset(list []*unstructured.Unstructured) {
	var all []*corev1.Event
	for _, u := range list {
		if e := r.wanted(u); e != nil {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b *corev1.Event) int {
		return cmp.Or(object.EventTime(a).Compare(object.EventTime(b)), cmp.Compare(a.Name, b.Name))
	})
	for _, e := range all {
		r.tell(e)
	}
}

// Set takes one event, new or counted up.
func (r *eventReader) Set(u *unstructured.Unstructured) {
	if e := r.wanted(u); e != nil {
		r.tell(e)
	}
}

// Remove does nothing: events end by their age.
func (r *eventReader) Remove(*unstructured.Unstructured) {}

// wanted returns the event when it is asked for; else nil.
func (r *eventReader) wanted(u *unstructured.Unstructured) *corev1.Event {
	var e corev1.Event
	switch {
	case cluster.Decode(u, &e) != nil || !r.belongs(e.InvolvedObject):
		return nil
	case r.opts.Object != "" && r.opts.Object != e.InvolvedObject.Kind+"/"+e.InvolvedObject.Name:
		return nil
	case r.opts.Warnings && e.Type == corev1.EventTypeNormal:
		return nil
	}
	return &e
}

// tell gives an event to out, unless it was told as it is: after a lost watch all events come again.
func (r *eventReader) tell(e *corev1.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := object.EventCount(e)
	if r.told[string(e.UID)] == count {
		return
	}
	r.told[string(e.UID)] = count
	r.out(Occurrence{
		Time: object.EventTime(e), Type: e.Type, Object: e.InvolvedObject.Kind + "/" + e.InvolvedObject.Name,
		Reason: e.Reason, Message: strings.TrimSpace(e.Message), Count: count,
	})
}
