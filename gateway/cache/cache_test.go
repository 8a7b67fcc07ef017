package cache_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"egk8s.dev/egk8s/gateway/cache"
)

var now = time.Unix(1_700_000_000, 0)

func TestGetPut(t *testing.T) {
	t.Parallel()
	c := cache.New[int](cache.Options{})
	a, b := c.Key("a"), c.Key("b")
	c.Put(a, 1, 10, now.Add(time.Second))
	if v, ok := c.Get(a, now); !ok || v != 1 {
		t.Errorf("Get = %v, %v", v, ok)
	}
	if _, ok := c.Get(b, now); ok {
		t.Error("an unknown key has a value")
	}
	if _, ok := c.Get(a, now.Add(time.Second)); ok {
		t.Error("a value outlives its end")
	}
	c.Put(a, 2, 10, now.Add(time.Second))
	if v, _ := c.Get(a, now); v != 2 {
		t.Errorf("Get = %v after it was replaced by 2", v)
	}
}

func TestNilRemembersNothing(t *testing.T) {
	t.Parallel()
	var c *cache.Cache[int]
	c.Put(cache.Key{}, 1, 1, now.Add(time.Hour))
	if _, ok := c.Get(cache.Key{}, now); ok {
		t.Error("it remembers")
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	c, other := cache.New[int](cache.Options{}), cache.New[int](cache.Options{})
	if c.Key("ab", "c") == c.Key("a", "bc") || c.Key("ab") == c.Key("ab", "") {
		t.Error("where a part ends does not matter")
	}
	if first, again := c.Key("a", "b"), c.Key("a", "b"); first != again {
		t.Error("equal parts give two keys")
	}
	if c.Key("a") == other.Key("a") {
		t.Error("two caches have one secret")
	}
}

// TestBounds: however much is put in, entries and bytes stay within what was asked for.
func TestBounds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options cache.Options
		size    int64
		most    int
	}{
		"entries": {cache.Options{Entries: 64}, 1, 64},
		"bytes":   {cache.Options{Entries: 4096, Bytes: 1000}, 100, 10},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cache.New[int](tt.options)
			var group sync.WaitGroup
			for w := range 4 {
				group.Go(func() {
					for i := w; i < 4000; i += 4 {
						c.Put(c.Key(strconv.Itoa(i)), i, tt.size, now.Add(time.Hour))
					}
				})
			}
			group.Wait()
			kept := 0
			for i := range 4000 {
				if v, ok := c.Get(c.Key(strconv.Itoa(i)), now); ok {
					kept++
					if v != i {
						t.Fatalf("%d has the value %d", i, v)
					}
				}
			}
			if kept == 0 || kept > tt.most {
				t.Errorf("%d are kept, want 1 to %d", kept, tt.most)
			}
		})
	}
}

func TestTooBigIsNotKept(t *testing.T) {
	t.Parallel()
	c := cache.New[int](cache.Options{Bytes: 1000})
	c.Put(c.Key("small"), 1, 10, now.Add(time.Hour))
	c.Put(c.Key("big"), 1, 900, now.Add(time.Hour))
	if _, ok := c.Get(c.Key("big"), now); ok {
		t.Error("one value may fill the cache")
	}
	if _, ok := c.Get(c.Key("small"), now); !ok {
		t.Error("the big value drove the small one out")
	}
}

// TestUsedStay: what is asked for outlives what is not.
func TestUsedStay(t *testing.T) {
	t.Parallel()
	c := cache.New[int](cache.Options{Entries: 4})
	for _, name := range []string{"a", "b", "c", "d"} {
		c.Put(c.Key(name), 1, 1, now.Add(time.Hour))
	}
	for i := range 100 {
		for _, name := range []string{"a", "b"} {
			if _, ok := c.Get(c.Key(name), now); !ok {
				t.Fatalf("%s is gone after %d others", name, i)
			}
		}
		c.Put(c.Key(strconv.Itoa(i)), 1, 1, now.Add(time.Hour))
	}
}

func TestFlightRunsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f cache.Flight[int]
		runs, release := 0, make(chan struct{})
		find := func(context.Context) (int, error) {
			runs++
			<-release
			return 7, nil
		}
		for range 10 {
			go func() {
				if v, err := f.Do(t.Context(), cache.Key{1}, find); v != 7 || err != nil {
					t.Errorf("Do = %v, %v", v, err)
				}
			}()
		}
		synctest.Wait()
		leaving, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Do(leaving, cache.Key{1}, find); !errors.Is(err, context.Canceled) {
			t.Errorf("who left got %v", err)
		}
		close(release)
		synctest.Wait()
		if runs != 1 {
			t.Errorf("it ran %d times", runs)
		}
	})
}

// TestFlightStops: when the last who asked is gone, the work ends, and the next one starts anew.
func TestFlightStops(t *testing.T) {
	t.Parallel()
	var f cache.Flight[int]
	stopped := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := f.Do(ctx, cache.Key{1}, func(own context.Context) (int, error) {
		cancel()
		<-own.Done()
		close(stopped)
		return 0, own.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Do: %v", err)
	}
	<-stopped
	if v, err := f.Do(t.Context(), cache.Key{1}, func(context.Context) (int, error) { return 3, nil }); v != 3 || err != nil {
		t.Errorf("the next one got %v, %v", v, err)
	}
}

func TestFlightPanic(t *testing.T) {
	t.Parallel()
	var f cache.Flight[int]
	if _, err := f.Do(t.Context(), cache.Key{}, func(context.Context) (int, error) { panic("no") }); err == nil {
		t.Error("a panic is no error")
	}
}

func BenchmarkGet(b *testing.B) {
	c := cache.New[*int](cache.Options{})
	token := string(make([]byte, 900))
	c.Put(c.Key("domain", token), new(int), 1, now.Add(time.Hour))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := c.Get(c.Key("domain", token), now); !ok {
				b.Error("it is gone")
			}
		}
	})
}
