package state_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/process"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

func TestReadWithoutFile(t *testing.T) {
	t.Parallel()
	s, err := state.Read(filepath.Join(t.TempDir(), "state.json"))
	if s != nil || err != nil {
		t.Fatalf("got %v, %v", s, err)
	}
	if s.Running() {
		t.Error("no state runs")
	}
}

func writeState(t *testing.T, clusters, name string, subnet int, daemon process.ID) {
	t.Helper()
	dir := filepath.Join(clusters, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	err := state.WriteJSON(filepath.Join(dir, "state.json"), state.State{Name: name, Subnet: subnet, Daemon: daemon})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFreeSubnetSkipsRunningClusters(t *testing.T) {
	t.Parallel()
	clusters := t.TempDir()
	self, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	gone := self
	gone.Start++ // the number is in use again, by another process
	writeState(t, clusters, "a", 0, self)
	writeState(t, clusters, "b", 1, gone)
	writeState(t, clusters, "c", 2, self)
	got, err := state.FreeSubnet(clusters, 3)
	if err != nil || got != 1 {
		t.Errorf("got %d, %v; want 1, that of the cluster whose daemon is gone", got, err)
	}
	if _, err := state.FreeSubnet(clusters, 1); err == nil {
		t.Error("no error although every range is in use")
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.lock")
	first, err := state.TakeLock(context.Background(), path, func() { t.Error("waits for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	waited := false
	if _, err := state.TakeLock(ctx, path, func() { waited = true }); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the second lock: %v", err)
	}
	if !waited {
		t.Error("nobody was told to wait")
	}
	first.Remove()
	second, err := state.TakeLock(context.Background(), path, func() {})
	if err != nil {
		t.Fatal(err)
	}
	second.Release()
}
