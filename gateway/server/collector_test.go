package server

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

func TestGCPercent(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{
		0: 400, 1 << 20: 400, 4 << 20: 400, 8 << 20: 200, 16 << 20: 100, 1 << 40: 100,
	} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d MiB live: %d %%, want %d", live>>20, got, want)
		}
	}
}

// TestPaceCollector is not parallel: the pace belongs to the process.
func TestPaceCollector(t *testing.T) { //nolint:paralleltest // see above
	before := debug.SetGCPercent(77)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		go paceCollector(ctx, &environment{})
		synctest.Wait()
		small := debug.SetGCPercent(77)
		if small <= 100 {
			t.Errorf("a small heap grows by %d %%", small)
		}
		ballast := make([]byte, 64<<20)
		runtime.GC()
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if got := debug.SetGCPercent(77); got != 100 {
			t.Errorf("a large heap grows by %d %%, want 100", got)
		}
		runtime.KeepAlive(ballast)
		cancel()
		synctest.Wait()
		if got := debug.SetGCPercent(77); got != 77 {
			t.Errorf("%d %% after the end, want what was before", got)
		}
		paceCollector(t.Context(), &environment{collector: "50"})
		if got := debug.SetGCPercent(77); got != 77 {
			t.Errorf("GOGC of the environment does not win: %d", got)
		}
	})
}
