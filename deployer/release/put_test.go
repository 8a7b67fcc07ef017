package release_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/release"
)

// TestTouchedSecret: who labels our Secret does not stop a deploy; who changes what it says does.
func TestTouchedSecret(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		touch    func(*unstructured.Unstructured)
		conflict bool
	}{
		"a label":      {touch: func(u *unstructured.Unstructured) { u.SetLabels(map[string]string{"backup": "yes"}) }},
		"its contents": {touch: func(u *unstructured.Unstructured) { u.Object["data"] = map[string]any{"state": "e30="} }, conflict: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &memory{objects: map[object.Key]*unstructured.Unstructured{}}
			s := &release.Store{Cluster: m, Name: "shop", Namespace: "n", Now: time.Now}
			state := &release.State{Revision: 1}
			if err := s.Save(t.Context(), state, release.Owner{}); err != nil {
				t.Fatal(err)
			}
			u, err := m.Get(t.Context(), object.Ref{Version: "v1", Kind: "Secret", Namespace: "n", Name: "shop-egk8s"})
			if err != nil {
				t.Fatal(err)
			}
			tc.touch(u)
			if _, err := m.Update(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			for revision := 2; revision < 4; revision++ {
				state.Revision = revision
				err := s.Save(t.Context(), state, release.Owner{})
				if apierrors.IsConflict(err) != tc.conflict || !tc.conflict && err != nil {
					t.Fatal(err)
				}
			}
			if got, err := s.State(t.Context()); err != nil || !tc.conflict && got.Revision != 3 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// touched is an API server where somebody labels every object right before it is updated.
type touched struct{ *memory }

func (m touched) Update(ctx context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	live, err := m.Get(ctx, object.Of(u))
	if err != nil {
		return nil, err
	}
	if live.GetLabels()["touched"] == "" {
		live.SetLabels(map[string]string{"touched": "yes"})
		if _, err := m.memory.Update(ctx, live); err != nil {
			return nil, err
		}
	}
	return m.memory.Update(ctx, u)
}

// TestTouchedLock: the lock is lost to another holder, not to a label.
func TestTouchedLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{objects: map[object.Key]*unstructured.Unstructured{}}
		s := &release.Store{Cluster: touched{m}, Name: "shop", Namespace: "n", Now: time.Now}
		held, lock, err := s.Lock(t.Context(), "ann@host pid 1", "deploy")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if held.Err() != nil {
			t.Errorf("the lock was given up: %v", context.Cause(held))
		}
		if err := lock.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
