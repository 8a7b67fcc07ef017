package ratelimit_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"egk8s.dev/egk8s/gateway/ratelimit"
)

// ledger is a Source in memory.
type ledger struct {
	mu     sync.Mutex
	totals map[string]int64
	ends   map[string]time.Time
	asked  int
	away   error
	slow   time.Duration
}

func newLedger() *ledger { return &ledger{totals: map[string]int64{}, ends: map[string]time.Time{}} }

func (l *ledger) Take(ctx context.Context, asks []ratelimit.Ask) ([]ratelimit.Grant, error) {
	if l.slow > 0 {
		select {
		case <-time.After(l.slow):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.away != nil {
		return nil, l.away
	}
	now := time.Now()
	out := make([]ratelimit.Grant, len(asks))
	for i, ask := range asks {
		if !now.Before(l.ends[ask.Key]) {
			l.totals[ask.Key], l.ends[ask.Key] = 0, now.Add(ask.Window)
		}
		l.totals[ask.Key] += ask.N
		out[i] = ratelimit.Grant{Total: l.totals[ask.Key], Left: l.ends[ask.Key].Sub(now)}
	}
	return out, nil
}

func (l *ledger) say(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = err
}

type counter interface {
	Hit(ctx context.Context, key []byte, length time.Duration) (int64, time.Time, error)
}

// replicas are n processes that count over one source.
func replicas(t *testing.T, n int, l *ledger, of func(*ratelimit.Shared) counter) []counter {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	out := make([]counter, n)
	for i := range out {
		s := ratelimit.NewShared(l, ratelimit.Options{Keys: 6400})
		group.Go(func() { s.Run(ctx) })
		out[i] = of(s)
	}
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return out
}

func leased(most int64) func(*ratelimit.Shared) counter {
	return func(s *ratelimit.Shared) counter { return s.Leased(most) }
}

// let sends requests to all replicas in turn and returns how many are within the limit.
func let(t *testing.T, to []counter, requests int, most int64) int {
	t.Helper()
	passed := 0
	for range requests {
		for _, c := range to {
			count, _, err := c.Hit(t.Context(), []byte("k"), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if count <= most {
				passed++
			}
			synctest.Wait()
		}
	}
	return passed
}

// TestLeasedKeepsTheLimit: three replicas let through what the limit says, give or take their blocks, and ask little.
func TestLeasedKeepsTheLimit(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ most, block int64 }{"large": {1000, 50}, "small": {7, 1}, "one": {1, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLedger()
				to := replicas(t, 3, l, leased(tt.most))
				for range 2 { // two windows
					passed := int64(let(t, to, int(tt.most), tt.most))
					if passed > tt.most+3*tt.block || passed < tt.most-3*tt.block {
						t.Errorf("%d requests of %d passed", passed, tt.most)
					}
					time.Sleep(time.Minute + time.Millisecond)
				}
				if tt.most == 1000 && l.asked > 200 {
					t.Errorf("the source was asked %d times for 6000 requests", l.asked)
				}
			})
		})
	}
}

// TestExact: to the request, over all replicas.
func TestExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		to := replicas(t, 3, newLedger(), func(s *ratelimit.Shared) counter { return s.Exact() })
		if passed := let(t, to, 50, 10); passed != 10 {
			t.Errorf("%d requests passed, want 10", passed)
		}
	})
}

// TestSourceThatIsAway: each replica counts on its own, waits for nothing, and shares again when the source is back.
func TestSourceThatIsAway(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(*ratelimit.Shared) counter{
		"leased": leased(100), "exact": func(s *ratelimit.Shared) counter { return s.Exact() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLedger()
				l.say(errors.New("away"))
				to, began := replicas(t, 2, l, of), time.Now()
				if passed := let(t, to, 150, 100); passed != 200 {
					t.Errorf("%d requests passed, want 100 of each", passed)
				}
				if took := time.Since(began); took > time.Second {
					t.Errorf("requests waited for %s", took)
				}
				time.Sleep(2 * time.Minute)
				l.say(nil)
				if passed := let(t, to, 150, 100); passed < 90 || passed > 110 {
					t.Errorf("%d requests passed when the source was back, want about 100", passed)
				}
			})
		})
	}
}

// TestSlowSource: nobody waits for longer than 40 ms.
func TestSlowSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		l.slow = 10 * time.Second
		to := replicas(t, 1, l, leased(1000))
		for range 200 {
			began := time.Now()
			_, _, _ = to[0].Hit(t.Context(), []byte("k"), time.Minute)
			if took := time.Since(began); took > 40*time.Millisecond {
				t.Fatalf("a request waited for %s", took)
			}
		}
	})
}

// TestLeasedMemory: a flood of keys does not fill the memory, and long keys count by their hash.
func TestLeasedMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		to := replicas(t, 1, l, leased(10))
		for i := range 20_000 {
			_, _, _ = to[0].Hit(t.Context(), []byte(strings.Repeat("x", 60)+string(rune('a'+i%26))+strings.Repeat("y", i%3000)), time.Minute)
			if i%500 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		for key := range l.totals {
			if len(key) > 80 {
				t.Fatalf("a key of %d bytes at the source", len(key))
			}
		}
	})
}

func BenchmarkLeased(b *testing.B) {
	s := ratelimit.NewShared(newLedger(), ratelimit.Options{})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go s.Run(ctx)
	c := s.Leased(1 << 40)
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = c.Hit(ctx, []byte("192.0.2.1"), time.Hour)
	}
}
