package rollout

import (
	"maps"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/cluster"
)

// store holds what the watches say. Watches write into it, rules read snapshots of it.
type store struct {
	name    string // of the Deployment; it begins the name of everything that belongs to it
	changed chan struct{}

	mu          sync.Mutex
	deployments map[types.UID]*appsv1.Deployment
	replicaSets map[types.UID]*appsv1.ReplicaSet
	pods        map[types.UID]*corev1.Pod
	events      map[types.UID]*corev1.Event
	listed      int // how many of the watches have listed once
}

func newStore(name string) *store {
	return &store{
		name: name, changed: make(chan struct{}, 1),
		deployments: map[types.UID]*appsv1.Deployment{}, replicaSets: map[types.UID]*appsv1.ReplicaSet{},
		pods: map[types.UID]*corev1.Pod{}, events: map[types.UID]*corev1.Event{},
	}
}

// snapshot copies the maps, not the objects: nobody changes those.
func (s *store) snapshot(now time.Time, generation int64, since map[string]time.Time) *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := &Snapshot{
		Now: now, Generation: generation, Since: since,
		ReplicaSets: slices.Collect(maps.Values(s.replicaSets)),
		Pods:        slices.Collect(maps.Values(s.pods)),
		Events:      slices.Collect(maps.Values(s.events)),
	}
	for _, d := range s.deployments {
		if d.Name == s.name {
			snap.Deployment = d
		}
	}
	return snap
}

// complete tells whether the Deployment, ReplicaSets and pods have been read once.
func (s *store) complete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed >= 3
}

func (s *store) notify() {
	select {
	case s.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// table is one kind in the store, as the observer of its watch.
type table[T any] struct {
	store  *store
	rows   map[types.UID]*T
	counts bool // its first list counts for complete
	once   sync.Once
}

// Reset replaces all rows.
func (t *table[T]) Reset(list []*unstructured.Unstructured) {
	t.store.mu.Lock()
	clear(t.rows)
	for _, u := range list {
		t.put(u)
	}
	if t.counts {
		t.once.Do(func() { t.store.listed++ })
	}
	t.store.mu.Unlock()
	t.store.notify()
}

// Set adds or replaces one row.
func (t *table[T]) Set(u *unstructured.Unstructured) {
	t.store.mu.Lock()
	t.put(u)
	t.store.mu.Unlock()
	t.store.notify()
}

// Remove removes one row.
func (t *table[T]) Remove(u *unstructured.Unstructured) {
	t.store.mu.Lock()
	delete(t.rows, u.GetUID())
	t.store.mu.Unlock()
	t.store.notify()
}

func (t *table[T]) put(u *unstructured.Unstructured) {
	row := new(T)
	if cluster.Decode(u, row) == nil { // what does not fit its own type cannot be judged
		t.rows[u.GetUID()] = row
	}
}
