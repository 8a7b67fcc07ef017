package server

import (
	"context"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

// headroom is what a heap may grow before it is collected, however small it is. A gateway lives in a few MiB, and
// Go's rule (collect when the heap has doubled) would have it collect many times a second under load.
const headroom = 16 << 20

// gcPercent is the growth that gives a live heap the headroom; a large heap keeps Go's rule.
// The memory limit, where there is one, wins over it (https://go.dev/doc/gc-guide).
func gcPercent(live uint64) int {
	const most = 400
	switch {
	case live >= headroom:
		return 100
	case live*most <= headroom*100:
		return most
	default:
		return int(headroom * 100 / live)
	}
}

// paceCollector keeps the growth in step with the live heap until ctx ends. GOGC in the environment wins.
func paceCollector(ctx context.Context, env *environment) {
	if env.collector != "" {
		return
	}
	before := debug.SetGCPercent(gcPercent(liveHeap()))
	defer debug.SetGCPercent(before)
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	set := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// Setting it stops the world for a moment: not for a small difference.
		if want := gcPercent(liveHeap()); want < set*3/4 || want > set*4/3 {
			debug.SetGCPercent(want)
			set = want
		}
	}
}

// liveHeap is what the last collection left, in bytes; 0 before the first.
func liveHeap() uint64 {
	sample := []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}}
	runtimemetrics.Read(sample)
	if sample[0].Value.Kind() != runtimemetrics.KindUint64 {
		return headroom
	}
	return sample[0].Value.Uint64()
}
