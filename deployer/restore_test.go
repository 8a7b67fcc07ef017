package deployer

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/deployer/release"
)

// echo stores nothing and answers every write with what it was sent; lost is called by the first read behind the
// second record, when the rollout is watched.
func echo(writes *atomic.Int64, lost func()) http.Handler {
	var records atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && records.Load() == 2 {
			lost()
		}
		var body map[string]any
		if r.Method == http.MethodGet || json.NewDecoder(r.Body).Decode(&body) != nil {
			http.Error(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`, http.StatusNotFound)
			return
		}
		writes.Add(1)
		if body["type"] == "helm.sh/release.v1" && r.Method == http.MethodPost {
			records.Add(1)
		}
		body["metadata"].(map[string]any)["resourceVersion"] = "1" //nolint:forcetypeassert // every object has it
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	})
}

// TestARollbackWithoutItsLockWritesNothing: once somebody else has the lock, the release is theirs, and so are its
// records.
func TestARollbackWithoutItsLockWritesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var writes, atLoss atomic.Int64
	s := failedRun(t, echo(&writes, func() {
		atLoss.Store(writes.Load())
		cancel(release.ErrLockLost)
	})).session
	s.store = &release.Store{Cluster: s.client, Name: "shop", Namespace: "ns", Version: "1", Now: time.Now}
	history := &release.History{}
	target, err := s.store.Begin(t.Context(), history, release.Content{}, "first")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Finish(t.Context(), history, release.Deployed, "first"); err != nil {
		t.Fatal(err)
	}
	r := &restoring{session: s, out: s.stream(nil, "rollback", "", time.Time{}), history: history, state: &release.State{}, target: target, watch: s.watching(nil)}
	if err := r.run(ctx); !errors.Is(err, release.ErrLockLost) && !errors.Is(err, context.Canceled) {
		t.Errorf("%v; want the loss of the lock", err)
	}
	if atLoss.Load() == 0 || writes.Load() != atLoss.Load() {
		t.Errorf("%d writes, %d of them before the lock was lost", writes.Load(), atLoss.Load())
	}
}
