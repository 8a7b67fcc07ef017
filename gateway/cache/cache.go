// Package cache remembers answers that are costly to find, for a short time and in bounded memory.
package cache

import (
	"cmp"
	"sync/atomic"
	"time"
)

// ways is how many entries share a set: where a new one goes, the least useful of these goes away.
const ways = 4

// Options bound a cache; the zero value gives the defaults.
type Options struct {
	Entries int   // at most so many; 0: 16384
	Bytes   int64 // at most so many in all values together; 0: 16 MiB
}

// Cache holds values by Key. Reads and writes take no lock, reads allocate nothing.
// A nil Cache remembers nothing.
type Cache[V any] struct {
	hasher
	sets  [][ways]atomic.Pointer[entry[V]]
	bytes int64
	held  atomic.Int64
	hand  atomic.Uint64 // where making room goes on
}

type entry[V any] struct {
	key   Key
	value V
	size  int64
	ends  time.Time
	used  atomic.Bool // since somebody last looked for room here
}

// New returns an empty cache.
func New[V any](o Options) *Cache[V] {
	entries := cmp.Or(o.Entries, 16384)
	return &Cache[V]{
		hasher: newHasher(), bytes: cmp.Or(o.Bytes, 16<<20),
		sets: make([][ways]atomic.Pointer[entry[V]], max(1, entries/ways)),
	}
}

func (c *Cache[V]) set(k Key) *[ways]atomic.Pointer[entry[V]] {
	return &c.sets[k.number()%uint64(len(c.sets))]
}

// Get returns the value of a key that has not ended at now.
func (c *Cache[V]) Get(k Key, now time.Time) (value V, ok bool) {
	if c == nil {
		return value, false
	}
	set := c.set(k)
	for i := range set {
		e := set[i].Load()
		if e == nil || e.key != k || !now.Before(e.ends) {
			continue
		}
		if !e.used.Load() {
			e.used.Store(true)
		}
		return e.value, true
	}
	return value, false
}

// Put remembers a value of about size bytes until ends. It may be forgotten before.
func (c *Cache[V]) Put(k Key, value V, size int64, ends time.Time) {
	if c == nil || size > c.bytes/4 {
		return
	}
	e := &entry[V]{key: k, value: value, size: size, ends: ends}
	set := c.set(k)
	for range ways { // another writer may be quicker
		slot := victim(set, k)
		old := slot.Load()
		if !slot.CompareAndSwap(old, e) {
			continue
		}
		c.held.Add(size - old.weight())
		c.makeRoom()
		return
	}
}

// victim chooses the entry to replace: the key's own, a free one, one that nobody used, any.
func victim[V any](set *[ways]atomic.Pointer[entry[V]], k Key) *atomic.Pointer[entry[V]] {
	var free, idle *atomic.Pointer[entry[V]]
	for i := range set {
		e := set[i].Load()
		switch {
		case e == nil:
			free = &set[i]
		case e.key == k:
			return &set[i]
		case !e.used.Swap(false):
			idle = &set[i]
		}
	}
	return cmp.Or(free, idle, &set[k[len(k)-1]%ways])
}

func (e *entry[V]) weight() int64 {
	if e == nil {
		return 0
	}
	return e.size
}

// makeRoom drops sets in turn until the values fit.
func (c *Cache[V]) makeRoom() {
	for c.held.Load() > c.bytes {
		set := &c.sets[c.hand.Add(1)%uint64(len(c.sets))]
		for i := range set {
			c.held.Add(-set[i].Swap(nil).weight())
		}
	}
}
