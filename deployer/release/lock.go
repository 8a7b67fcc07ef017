package release

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	coordination "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

// How long a lock outlives a holder that was killed, how often a living one renews it, and how long
// it waits for the answer.
const (
	lockLife   = 30 * time.Second
	lockRenew  = 8 * time.Second
	lockAnswer = 4 * time.Second
)

// microTime is how a Lease writes times.
const microTime = "2006-01-02T15:04:05.000000Z07:00"

// ErrLockLost is the cause of the context's end when somebody took the lock over.
var ErrLockLost = errors.New("the lock of this release was taken over")

// Lock is a Lease that this process holds.
type Lock struct {
	store  *Store
	holder string
	cancel context.CancelCauseFunc
	stop   context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	lease *unstructured.Unstructured
	owner Owner
}

// Lock takes the release's lock for holder ("user@host pid 123") or ends with a LockedError. The
// context it returns ends with ErrLockLost when the lock is lost; until Release it is renewed.
func (s *Store) Lock(ctx context.Context, holder, reason string) (context.Context, *Lock, error) {
	lease, err := s.Cluster.Create(ctx, s.newLease(holder, reason))
	if cluster.IsExists(err) {
		lease, err = s.takeOver(ctx, holder, reason)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("lock release %s: %w", s.Name, err)
	}
	held, cancel := context.WithCancelCause(ctx)
	renew, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &Lock{store: s, holder: holder, cancel: cancel, stop: stop, done: make(chan struct{}), lease: lease}
	go l.renewal(renew)
	return held, l, nil
}

// takeOver takes the lock of a holder that has not renewed it for its whole life.
func (s *Store) takeOver(ctx context.Context, holder, reason string) (*unstructured.Unstructured, error) {
	live, err := s.Cluster.Get(ctx, s.lockRef())
	if cluster.IsNotFound(err) { // freed meanwhile
		return s.Cluster.Create(ctx, s.newLease(holder, reason))
	}
	if err != nil {
		return nil, err
	}
	held := s.heldBy(live)
	if s.Now().Before(held.Expires) {
		return nil, held
	}
	lease := s.newLease(holder, reason)
	lease.SetResourceVersion(live.GetResourceVersion())
	lease.SetOwnerReferences(live.GetOwnerReferences())
	lease, err = s.Cluster.Update(ctx, lease)
	if cluster.IsConflict(err) { // somebody was faster
		return nil, held
	}
	return lease, err
}

// Holder tells who holds the lock; nil: nobody does.
func (s *Store) Holder(ctx context.Context) (*LockedError, error) {
	live, err := s.Cluster.Get(ctx, s.lockRef())
	if cluster.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read lock of %s: %w", s.Name, err)
	}
	held := s.heldBy(live)
	if s.Now().After(held.Expires) {
		return nil, nil
	}
	return held, nil
}

func (s *Store) heldBy(u *unstructured.Unstructured) *LockedError {
	held := &LockedError{Release: s.Name}
	var lease coordination.Lease
	if err := cluster.Decode(u, &lease); err != nil {
		return held
	}
	if lease.Spec.HolderIdentity != nil {
		held.Holder = *lease.Spec.HolderIdentity
	}
	if lease.Spec.AcquireTime != nil {
		held.Since = lease.Spec.AcquireTime.Time
	}
	life := lockLife
	if lease.Spec.LeaseDurationSeconds != nil {
		life = time.Duration(*lease.Spec.LeaseDurationSeconds) * time.Second
	}
	if lease.Spec.RenewTime != nil {
		held.Expires = lease.Spec.RenewTime.Add(life)
	}
	return held
}

// Own makes the lock go when owner goes.
func (l *Lock) Own(owner Owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owner = owner
}

// Release gives the lock back, unless somebody took it over. It may be called when the context has ended.
func (l *Lock) Release(ctx context.Context) error {
	l.stop()
	<-l.done
	l.cancel(nil)
	live, err := l.store.Cluster.Get(ctx, l.store.lockRef())
	switch {
	case cluster.IsNotFound(err):
		return nil
	case err == nil && !l.holds(live):
		return nil
	case err == nil:
		err = l.store.Cluster.Delete(ctx, l.store.lockRef(), live.GetUID())
	}
	if err != nil && !cluster.IsConflict(err) {
		return fmt.Errorf("unlock release %s: %w", l.store.Name, err)
	}
	return nil
}

// holds tells whether live is this lock: whoever takes a Lease over changes the holder and the time, not
// the object.
func (l *Lock) holds(live *unstructured.Unstructured) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ours, theirs := l.store.heldBy(l.lease), l.store.heldBy(live)
	return live.GetUID() == l.lease.GetUID() && theirs.Holder == ours.Holder && theirs.Since.Equal(ours.Since)
}

// renewal renews the lock until Release. A renewal that does not reach the API server is tried again,
// but the lock is given up before its life is over, when somebody else may take it.
func (l *Lock) renewal(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(lockRenew)
	defer tick.Stop()
	last := l.store.Now()
	const unsafe = lockLife - lockRenew // another attempt could end after the lock's life
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := l.store.Now()
		err := l.renew(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			last = now
		case cluster.IsConflict(err), cluster.IsNotFound(err), now.Sub(last) >= unsafe:
			l.cancel(ErrLockLost)
			return
		}
	}
}

func (l *Lock) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lockAnswer)
	defer cancel()
	l.mu.Lock()
	next := l.lease.DeepCopy()
	if refs := l.owner.references(); refs != nil {
		_ = unstructured.SetNestedSlice(next.Object, refs, "metadata", "ownerReferences")
	}
	l.mu.Unlock()
	_ = unstructured.SetNestedField(next.Object, l.store.Now().UTC().Format(microTime), "spec", "renewTime")
	next, err := l.update(ctx, next)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.lease = next
	l.mu.Unlock()
	return nil
}

// update writes the Lease; a conflict is one only when the lock has another holder.
func (l *Lock) update(ctx context.Context, next *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	out, err := l.store.Cluster.Update(ctx, next)
	if !cluster.IsConflict(err) {
		return out, err
	}
	live, getErr := l.store.Cluster.Get(ctx, l.store.lockRef())
	if getErr != nil || !l.holds(live) {
		return nil, err
	}
	next.SetResourceVersion(live.GetResourceVersion())
	return l.store.Cluster.Update(ctx, next)
}

func (s *Store) lockRef() object.Ref {
	return object.Ref{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease", Namespace: s.Namespace, Name: s.Name + "-egk8s-lock"}
}

func (s *Store) newLease(holder, reason string) *unstructured.Unstructured {
	now := s.Now().UTC().Format(microTime)
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
		"metadata": map[string]any{
			"name": s.lockRef().Name, "namespace": s.Namespace, "labels": s.labels(),
			"annotations": map[string]any{"egk8s.dev/reason": reason},
		},
		"spec": map[string]any{
			"holderIdentity": holder, "leaseDurationSeconds": int64(lockLife / time.Second), "acquireTime": now, "renewTime": now,
		},
	}}
}
