package release_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/release"
)

// memory keeps objects as an API server does, as far as the store can tell: names are unique, an
// update needs the version it changes.
type memory struct {
	mu      sync.Mutex
	objects map[object.Key]*unstructured.Unstructured
	version int
}

func (m *memory) resource(r object.Ref) schema.GroupResource {
	return schema.GroupResource{Group: r.Group, Resource: r.Kind}
}

func (m *memory) Get(_ context.Context, ref object.Ref) (*unstructured.Unstructured, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.objects[ref.Key()]; u != nil {
		return u.DeepCopy(), nil
	}
	return nil, apierrors.NewNotFound(m.resource(ref), ref.Name)
}

func (m *memory) List(_ context.Context, sel cluster.Selection) ([]*unstructured.Unstructured, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	selector, err := labels.Parse(sel.Labels)
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, u := range m.objects {
		if u.GetKind() == sel.Kind.Kind && selector.Matches(labels.Set(u.GetLabels())) {
			out = append(out, u.DeepCopy())
		}
	}
	return out, nil
}

func (m *memory) put(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	m.version++
	u = u.DeepCopy()
	u.SetResourceVersion(fmt.Sprint(m.version))
	u.SetUID(types.UID(fmt.Sprint("uid-", m.version)))
	if old := m.objects[object.Of(u).Key()]; old != nil {
		u.SetUID(old.GetUID())
	}
	m.objects[object.Of(u).Key()] = u
	return u.DeepCopy(), nil
}

func (m *memory) Create(_ context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ref := object.Of(u)
	if m.objects[ref.Key()] != nil {
		return nil, apierrors.NewAlreadyExists(m.resource(ref), ref.Name)
	}
	return m.put(u)
}

func (m *memory) Update(_ context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ref := object.Of(u)
	old := m.objects[ref.Key()]
	if old == nil {
		return nil, apierrors.NewNotFound(m.resource(ref), ref.Name)
	}
	if old.GetResourceVersion() != u.GetResourceVersion() {
		return nil, apierrors.NewConflict(m.resource(ref), ref.Name, errors.New("changed"))
	}
	return m.put(u)
}

func (m *memory) Delete(_ context.Context, ref object.Ref, uid types.UID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.objects[ref.Key()]; u != nil && uid != "" && u.GetUID() != uid {
		return apierrors.NewConflict(m.resource(ref), ref.Name, errors.New("another object"))
	}
	delete(m.objects, ref.Key())
	return nil
}

// clock is moved by the test while a lock is being renewed beside it.
type clock struct{ ns atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func newTestStore() (*release.Store, *memory, *clock) {
	m := &memory{objects: map[object.Key]*unstructured.Unstructured{}}
	c := &clock{}
	c.ns.Store(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixNano())
	return &release.Store{Cluster: m, Name: "shop", Namespace: "n", Version: "1.2.3+x", Now: c.Now}, m, c
}

func content(text string) release.Content {
	return release.Content{
		Chart:  &chart.Chart{Metadata: &chart.Metadata{Name: "egk8s-gateway", Version: "0.1.0", APIVersion: "v2"}},
		Values: map[string]any{"replicas": 2}, Manifest: text,
	}
}

// deployed makes a revision that succeeds.
func deployed(t *testing.T, s *release.Store, text string) *release.History {
	t.Helper()
	h, err := s.History(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(t.Context(), h, content(text), "trying"); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context(), h, release.Deployed, "done"); err != nil {
		t.Fatal(err)
	}
	return h
}

// TestHelmReadsOurRecords: Helm's own driver finds, decodes and updates what we wrote.
func TestHelmReadsOurRecords(t *testing.T) {
	t.Parallel()
	s, m, _ := newTestStore()
	deployed(t, s, "a: 1\n")
	deployed(t, s, "a: 2\n")
	var secrets []runtime.Object
	for _, u := range m.objects {
		var secret corev1.Secret
		if err := cluster.Decode(u, &secret); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, &secret)
	}
	kube := fake.NewClientset(secrets...)
	d := driver.NewSecrets(kube.CoreV1().Secrets("n"))
	list, err := d.Query(map[string]string{"owner": "helm", "name": "shop"})
	if err != nil || len(list) != 2 {
		t.Fatalf("helm finds %d revisions: %v", len(list), err)
	}
	second, err := d.Get("sh.helm.release.v1.shop.v2")
	if err != nil {
		t.Fatal(err)
	}
	if second.Info.Status != helm.StatusDeployed || second.Manifest != "a: 2\n" || second.Chart.Metadata.Name != "egk8s-gateway" ||
		second.Namespace != "n" || second.Info.FirstDeployed.IsZero() {
		t.Errorf("%+v", second)
	}
	if h, _ := s.History(t.Context()); h.Newest().ByHelm() {
		t.Error("our record looks like helm's")
	}
	third := *second
	third.Version = 3 // what helm makes of ours by a rollback: it copies the labels
	if err := d.Create("sh.helm.release.v1.shop.v3", &third); err != nil {
		t.Fatal(err)
	}
	made, err := kube.CoreV1().Secrets("n").Get(t.Context(), "sh.helm.release.v1.shop.v3", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := runtime.DefaultUnstructuredConverter.ToUnstructured(made)
	if err != nil {
		t.Fatal(err)
	}
	u["apiVersion"], u["kind"] = "v1", "Secret"
	if _, err := m.put(&unstructured.Unstructured{Object: u}); err != nil {
		t.Fatal(err)
	}
	if h, _ := s.History(t.Context()); h.Newest().Revision != 3 || !h.Newest().ByHelm() {
		t.Errorf("helm's rollback looks like ours: %+v", h.Newest())
	}
	second.Info.Status = helm.StatusSuperseded
	if err := d.Update("sh.helm.release.v1.shop.v2", second); err != nil {
		t.Errorf("helm cannot update it: %v", err)
	}
}

// TestHistory: one revision is deployed at a time, a failed one leaves the one before in force, ten are kept.
func TestHistory(t *testing.T) {
	t.Parallel()
	s, _, _ := newTestStore()
	for i := range 11 {
		deployed(t, s, fmt.Sprint("a: ", i))
	}
	h, _ := s.History(t.Context())
	if _, err := s.Begin(t.Context(), h, content("bad"), "trying"); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context(), h, release.Failed, "no"); err != nil {
		t.Fatal(err)
	}
	h, err := s.History(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h.Newest().Revision != 12 || h.Newest().Status != release.Failed || h.Deployed().Revision != 11 || h.Records[0].Revision != 2 {
		t.Errorf("newest %d %s, deployed %d, oldest %d", h.Newest().Revision, h.Newest().Status, h.Deployed().Revision, h.Records[0].Revision)
	}
	for _, r := range h.Records[:len(h.Records)-2] {
		if r.Status != release.Superseded {
			t.Errorf("revision %d is %s", r.Revision, r.Status)
		}
	}
}

// TestKilledRun: what a killed run left pending is failed, and does not block the next one.
func TestKilledRun(t *testing.T) {
	t.Parallel()
	s, _, _ := newTestStore()
	h, _ := s.History(t.Context())
	if _, err := s.Begin(t.Context(), h, content("a"), "trying"); err != nil {
		t.Fatal(err)
	}
	h = deployed(t, s, "b")
	if h.Records[0].Status != release.Failed || h.Newest().Status != release.Deployed || h.Newest().Revision != 2 {
		t.Errorf("%+v, %+v", h.Records[0], h.Newest())
	}
}

// TestNewerRecord: an older egk8s does not touch what a newer one deployed.
func TestNewerRecord(t *testing.T) {
	t.Parallel()
	s, m, _ := newTestStore()
	deployed(t, s, "a")
	for _, u := range m.objects {
		l := u.GetLabels()
		l["egk8s.dev/format"] = "99"
		u.SetLabels(l)
	}
	var newer *release.NewerRecordError
	if _, err := s.History(t.Context()); !errors.As(err, &newer) || newer.Format != 99 || newer.Version != "1.2.3_x" {
		t.Errorf("got %v", err)
	}
}

// TestState: what is remembered comes back, and two writers do not overwrite each other.
func TestState(t *testing.T) {
	t.Parallel()
	s, _, _ := newTestStore()
	first, err := s.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, _ := s.State(t.Context())
	first.ConfigDigest = "abc"
	first.Inventory = []release.Entry{{Ref: object.Namespace("x"), UID: "u", Sent: "s", Owned: "o"}}
	if err := s.Save(t.Context(), first, release.Owner{Name: "shop", UID: "sa"}); err != nil {
		t.Fatal(err)
	}
	again, err := s.State(t.Context())
	if err != nil || again.ConfigDigest != "abc" || len(again.Inventory) != 1 || again.Inventory[0].Kind != "Namespace" || again.Version != "1.2.3+x" {
		t.Errorf("%+v, %v", again, err)
	}
	if err := s.Save(t.Context(), second, release.Owner{}); err == nil {
		t.Error("the second writer was not told")
	}
}

// TestLock: the second one is told who holds it; a holder that is dead loses it after its life.
func TestLock(t *testing.T) {
	t.Parallel()
	s, _, now := newTestStore()
	_, lock, err := s.Lock(t.Context(), "ann@host pid 1", "deploy")
	if err != nil {
		t.Fatal(err)
	}
	var held *release.LockedError
	if _, _, err := s.Lock(t.Context(), "bob@host pid 2", "deploy"); !errors.As(err, &held) || held.Holder != "ann@host pid 1" {
		t.Errorf("got %v", err)
	}
	if holder, err := s.Holder(t.Context()); err != nil || holder == nil {
		t.Errorf("holder %v, %v", holder, err)
	}
	if err := lock.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if holder, err := s.Holder(t.Context()); err != nil || holder != nil {
		t.Errorf("after the release: %v, %v", holder, err)
	}
	_, dead, err := s.Lock(t.Context(), "ann@host pid 1", "deploy")
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Release(t.Context())
	now.advance(31 * time.Second)
	_, lock, err = s.Lock(t.Context(), "bob@host pid 2", "deploy")
	if err != nil {
		t.Fatalf("a dead holder keeps the lock: %v", err)
	}
	if err := dead.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if holder, err := s.Holder(t.Context()); err != nil || holder == nil || holder.Holder != "bob@host pid 2" {
		t.Errorf("the dead one's release freed the lock of its successor: %v, %v", holder, err)
	}
	if err := lock.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if holder, err := s.Holder(t.Context()); err != nil || holder != nil {
		t.Errorf("after the last release: %v, %v", holder, err)
	}
}
