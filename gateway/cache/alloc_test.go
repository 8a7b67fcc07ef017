//go:build !race

package cache_test

import (
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/cache"
)

// The race detector makes a sync.Pool forget at random, which costs allocations.
func TestReadsAllocateNothing(t *testing.T) {
	c := cache.New[*int](cache.Options{})
	token := string(make([]byte, 900))
	c.Put(c.Key("domain", token), new(int), 1, now.Add(time.Hour))
	got := testing.AllocsPerRun(100, func() {
		if _, ok := c.Get(c.Key("domain", token), now); !ok {
			t.Fatal("it is gone")
		}
	})
	if got != 0 {
		t.Errorf("a read costs %v allocations", got)
	}
}
