package release_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/release"
)

// silent is an API server that stops answering updates.
type silent struct{ *memory }

func (s silent) Update(ctx context.Context, _ *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestLockIsGivenUpInTime: a holder that cannot renew its lock stops before somebody else may take it.
func TestLockIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &release.Store{
			Cluster: silent{&memory{objects: map[object.Key]*unstructured.Unstructured{}}},
			Name:    "shop", Namespace: "n", Now: time.Now,
		}
		begun := time.Now()
		held, lock, err := s.Lock(t.Context(), "ann@host pid 1", "deploy")
		if err != nil {
			t.Fatal(err)
		}
		<-held.Done()
		holder, err := s.Holder(t.Context())
		if err != nil || holder == nil || !errors.Is(context.Cause(held), release.ErrLockLost) {
			t.Errorf("given up after %s: the lock was free then (%v, %v); cause %v", time.Since(begun), holder, err, context.Cause(held))
		}
		if err := lock.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
