package redis

import (
	"hash/maphash"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// ways is how many records share a set of the cache.
const ways = 8

// stamps is how many counters tell loads from what was written meanwhile.
const stamps = 1024

// record is what is remembered of one look-up.
type record struct {
	space, id string
	value     any // nil: there is no such thing
	loaded    time.Time
	round     uint64 // of the cache when the load began
	used      atomic.Bool
}

// cache remembers look-ups in bounded memory. Reads take no lock and allocate nothing.
type cache struct {
	seed  maphash.Seed
	known []atomic.Pointer[record]
	gone  []atomic.Pointer[record] // what is not there: a flood of unknown ids displaces nothing else
	stamp [stamps]atomic.Uint64
	// round rises when what was loaded before may be out of date.
	round atomic.Uint64
}

// newCache holds known records and a 64th of that of unknown ids.
func newCache(known int) *cache {
	known = max(known, 64*ways) / ways * ways
	return &cache{
		seed: maphash.MakeSeed(), known: make([]atomic.Pointer[record], known),
		gone: make([]atomic.Pointer[record], known/64/ways*ways),
	}
}

func (c *cache) hash(space, id string) uint64 {
	return maphash.String(c.seed, id) ^ uint64(len(space))*0x9e3779b97f4a7c15
}

func set(of []atomic.Pointer[record], h uint64) []atomic.Pointer[record] {
	at := int(h%uint64(len(of)/ways)) * ways //nolint:gosec // less than len(of)
	return of[at : at+ways]
}

// find returns nil for what is not remembered.
func (c *cache) find(space, id string) *record {
	h := c.hash(space, id)
	for _, of := range [...][]atomic.Pointer[record]{c.known, c.gone} {
		in := set(of, h)
		for i := range in {
			if r := in[i].Load(); r != nil && r.id == id && r.space == space {
				if !r.used.Load() {
					r.used.Store(true)
				}
				return r
			}
		}
	}
	return nil
}

// mark is where the cache stands before a load.
type mark struct {
	h            uint64
	stamp, round uint64
}

func (c *cache) begin(space, id string) mark {
	h := c.hash(space, id)
	return mark{h, c.stamp[h%stamps].Load(), c.round.Load()}
}

// put remembers what was loaded since m, unless it was written meanwhile.
func (c *cache) put(m mark, space, id string, value any, now time.Time) {
	r := &record{space: space, id: id, value: value, loaded: now, round: m.round}
	to, other := set(c.known, m.h), set(c.gone, m.h)
	if value == nil {
		to, other = other, to
	}
	forget(other, space, id)
	victim(to, space, id).Store(r)
	if c.stamp[m.h%stamps].Load() != m.stamp {
		forget(to, space, id)
	}
}

// victim is the place of the same id, a free one, one that nobody used since it was looked at, or any.
func victim(in []atomic.Pointer[record], space, id string) *atomic.Pointer[record] {
	var free, idle *atomic.Pointer[record]
	for i := range in {
		r := in[i].Load()
		switch {
		case r == nil:
			free = &in[i]
		case r.id == id && r.space == space:
			return &in[i]
		case !r.used.Swap(false):
			idle = &in[i]
		}
	}
	switch {
	case free != nil:
		return free
	case idle != nil:
		return idle
	}
	return &in[rand.IntN(len(in))] //nolint:gosec // a choice, not a secret
}

// invalidate forgets one id, also what a load that runs now brings.
func (c *cache) invalidate(space, id string) {
	h := c.hash(space, id)
	c.stamp[h%stamps].Add(1)
	forget(set(c.known, h), space, id)
	forget(set(c.gone, h), space, id)
}

func forget(in []atomic.Pointer[record], space, id string) {
	for i := range in {
		if r := in[i].Load(); r != nil && r.id == id && r.space == space {
			in[i].CompareAndSwap(r, nil)
		}
	}
}
