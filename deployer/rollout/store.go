package rollout

import (
	"maps"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/cluster"
)

// The kinds that tables hold.
type (
	deployment    = appsv1.Deployment
	replicaSet    = appsv1.ReplicaSet
	pod           = corev1.Pod
	kubeEvent     = corev1.Event
	claim         = corev1.PersistentVolumeClaim
	service       = corev1.Service
	endpointSlice = discovery.EndpointSlice
	node          = corev1.Node
	namespace     = corev1.Namespace
)

// serviceLabel is that of the EndpointSlices of a Service.
const serviceLabel = discovery.LabelServiceName

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

	claims     map[types.UID]*corev1.PersistentVolumeClaim
	services   map[types.UID]*corev1.Service
	slices     map[types.UID]*discovery.EndpointSlice
	nodes      map[string]map[types.UID]*corev1.Node // by name: each is a watch of its own
	namespaces map[types.UID]*corev1.Namespace
	answers    map[string]Answer
	known      map[Fact]bool
}

func newStore(name string) *store {
	return &store{
		name: name, changed: make(chan struct{}, 1),
		deployments: map[types.UID]*appsv1.Deployment{}, replicaSets: map[types.UID]*appsv1.ReplicaSet{},
		pods: map[types.UID]*corev1.Pod{}, events: map[types.UID]*corev1.Event{},
		claims: map[types.UID]*corev1.PersistentVolumeClaim{}, services: map[types.UID]*corev1.Service{},
		slices: map[types.UID]*discovery.EndpointSlice{}, nodes: map[string]map[types.UID]*corev1.Node{},
		namespaces: map[types.UID]*corev1.Namespace{}, answers: map[string]Answer{}, known: map[Fact]bool{},
	}
}

// snapshot copies the maps, not the objects: nobody changes those.
func (s *store) snapshot(now time.Time, generation int64, since map[string]time.Time) *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := &Snapshot{
		Now: now, Generation: generation, Since: since, Name: s.name,
		ReplicaSets: slices.Collect(maps.Values(s.replicaSets)),
		Pods:        slices.Collect(maps.Values(s.pods)),
		Events:      slices.Collect(maps.Values(s.events)),
		Claims:      slices.Collect(maps.Values(s.claims)),
		Slices:      slices.Collect(maps.Values(s.slices)),
		Answers:     maps.Clone(s.answers),
		Known:       maps.Clone(s.known),
	}
	for _, rows := range s.nodes {
		snap.Nodes = slices.AppendSeq(snap.Nodes, maps.Values(rows))
	}
	for _, svc := range s.services {
		snap.Service = svc
	}
	for _, ns := range s.namespaces {
		snap.Namespace = ns
	}
	for _, d := range s.deployments {
		if d.Name == s.name {
			snap.Deployment = d
		}
	}
	return snap
}

// count notes that one of the watches that every verdict needs has listed.
func (s *store) count() {
	s.mu.Lock()
	s.listed++
	s.mu.Unlock()
}

// complete tells whether the Deployment, ReplicaSets and pods have been read once.
func (s *store) complete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed >= 3
}

// learn notes that a fact was read, or that it may not be.
func (s *store) learn(f Fact, read bool) {
	s.mu.Lock()
	s.known[f] = read
	s.mu.Unlock()
	s.notify()
}

// node makes room for a node.
func (s *store) node(name string) map[types.UID]*corev1.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes[name] = map[types.UID]*corev1.Node{}
	return s.nodes[name]
}

// answer notes what a pod says of itself.
func (s *store) answer(pod string, a Answer) {
	s.mu.Lock()
	s.answers[pod] = a
	s.mu.Unlock()
}

func (s *store) notify() {
	select {
	case s.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// table is one kind in the store, as the observer of its watch.
type table[T any] struct {
	store *store
	rows  map[types.UID]*T
	first func() // called after the first list; may be nil
	once  sync.Once
}

// Reset replaces all rows.
func (t *table[T]) Reset(list []*unstructured.Unstructured) {
	t.store.mu.Lock()
	clear(t.rows)
	for _, u := range list {
		t.put(u)
	}
	t.store.mu.Unlock()
	if t.first != nil {
		t.once.Do(t.first)
	}
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
