package ratelimit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/ratelimit"
)

// clock stands still until it is moved.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_800_000_000, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func hit(t *testing.T, c *ratelimit.Counters, key string, window time.Duration) (int64, time.Time) {
	t.Helper()
	n, ends, err := c.Hit(context.Background(), []byte(key), window)
	if err != nil {
		t.Fatal(err)
	}
	return n, ends
}

func TestWindows(t *testing.T) {
	t.Parallel()
	var clk clock
	c := ratelimit.New(ratelimit.Options{Now: clk.now})
	start := clk.now()
	steps := []struct {
		key     string
		advance time.Duration
		window  time.Duration
		count   int64
		ends    time.Duration // after start
	}{
		{"a", 0, time.Second, 1, time.Second},
		{"a", 900 * time.Millisecond, time.Second, 2, time.Second},
		{"b", 0, time.Second, 1, 1900 * time.Millisecond},
		{"a", 99 * time.Millisecond, time.Minute, 3, time.Second}, // whoever opened the window says its length
		{"a", time.Millisecond, time.Minute, 1, 61 * time.Second}, // the window ended at this very moment
		{"b", 0, time.Second, 2, 1900 * time.Millisecond},
		{"z", 0, 0, 1, time.Second}, // no window
		{"z", 0, -1, 1, time.Second},
	}
	for i, s := range steps {
		clk.advance(s.advance)
		n, ends := hit(t, c, s.key, s.window)
		if n != s.count || !ends.Equal(start.Add(s.ends)) {
			t.Errorf("step %d: %d until %v, want %d until %v", i, n, ends.Sub(start), s.count, s.ends)
		}
	}
}

func TestLongKeysAreDifferentKeys(t *testing.T) {
	t.Parallel()
	c := ratelimit.New(ratelimit.Options{})
	long := strings.Repeat("k", 60_000)
	for _, key := range []string{long, long + "1", long[1:], "k"} {
		if n, _ := hit(t, c, key, time.Hour); n != 1 {
			t.Errorf("a key of %d bytes shares a counter", len(key))
		}
	}
	if n, _ := hit(t, c, long, time.Hour); n != 2 {
		t.Errorf("the second hit of a long key counts %d", n)
	}
}

func TestEndedWindowsAreForgotten(t *testing.T) {
	t.Parallel()
	var clk clock
	c := ratelimit.New(ratelimit.Options{Now: clk.now})
	for i := range 10_000 {
		hit(t, c, fmt.Sprint("early", i), time.Second)
	}
	clk.advance(time.Second)
	for i := range 1000 {
		hit(t, c, fmt.Sprint("late", i), time.Second)
	}
	if n := c.Len(); n != 1000 {
		t.Errorf("%d windows are kept, want the 1000 that have not ended", n)
	}
}

func TestFullForgetsWhatEndsFirst(t *testing.T) {
	t.Parallel()
	c := ratelimit.New(ratelimit.Options{Keys: 64}) // one for each shard
	hit(t, c, "a", time.Hour)
	for i := range 5000 {
		hit(t, c, fmt.Sprint(i), time.Minute)
	}
	if n := c.Len(); n > 64 {
		t.Errorf("%d windows, want at most 64", n)
	}
	c = ratelimit.New(ratelimit.Options{Keys: 64 * 100})
	hit(t, c, "a", 24*time.Hour)
	for i := range 50_000 {
		hit(t, c, fmt.Sprint(i), time.Minute)
	}
	if n, _ := hit(t, c, "a", time.Hour); n != 2 {
		t.Errorf("the window that ends last was forgotten: count %d", n)
	}
	if n := c.Len(); n > 64*100 {
		t.Errorf("%d windows, want at most 6400", n)
	}
}

// TestNeverMoreThanMax admits requests of many goroutines: in no window more than max of a key.
func TestNeverMoreThanMax(t *testing.T) {
	t.Parallel()
	const limit, keys, workers = 7, 20, 16
	var clk clock
	c := ratelimit.New(ratelimit.Options{Now: clk.now})
	var mu sync.Mutex
	admitted := map[string]int{} // by key and end of its window
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for range 2000 {
				key := fmt.Sprint(random.IntN(keys))
				n, ends, _ := c.Hit(context.Background(), []byte(key), time.Second)
				if n <= limit {
					mu.Lock()
					admitted[fmt.Sprint(key, ends)]++
					mu.Unlock()
				}
				if random.IntN(100) == 0 {
					clk.advance(time.Duration(random.IntN(300)) * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	for window, n := range admitted {
		if n > limit {
			t.Errorf("window %s admitted %d, want at most %d", window, n, limit)
		}
	}
}

// TestCountsLikeTheNaiveWay holds the counters to a map that is searched whole.
func TestCountsLikeTheNaiveWay(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	var clk clock
	c := ratelimit.New(ratelimit.Options{Now: clk.now})
	type naive struct {
		count int64
		ends  time.Time
	}
	known := map[string]naive{}
	for i := range 20_000 {
		key := fmt.Sprint(random.IntN(500))
		length := time.Duration(1+random.IntN(2000)) * time.Millisecond
		w, ok := known[key]
		if !ok || !clk.now().Before(w.ends) {
			w = naive{ends: clk.now().Add(length)}
		}
		w.count++
		known[key] = w
		if n, ends := hit(t, c, key, length); n != w.count || !ends.Equal(w.ends) {
			t.Fatalf("hit %d of %s: %d until %v, want %d until %v", i, key, n, ends, w.count, w.ends)
		}
		clk.advance(time.Duration(random.IntN(20)) * time.Millisecond)
	}
}

func TestNoAllocationForAKnownKey(t *testing.T) {
	c := ratelimit.New(ratelimit.Options{})
	key := []byte("203.0.113.7")
	ctx := context.Background()
	if n := testing.AllocsPerRun(100, func() { _, _, _ = c.Hit(ctx, key, time.Hour) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHit(b *testing.B) {
	for _, keys := range []int{1, 10_000} {
		b.Run(fmt.Sprint(keys, " keys"), func(b *testing.B) {
			c := ratelimit.New(ratelimit.Options{})
			names := make([][]byte, keys)
			for i := range names {
				names[i] = fmt.Appendf(nil, "203.0.113.%d", i)
			}
			ctx := context.Background()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := rand.IntN(keys); pb.Next(); i++ {
					_, _, _ = c.Hit(ctx, names[i%keys], time.Minute)
				}
			})
		})
	}
}
