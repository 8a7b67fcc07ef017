package memory

import (
	"hash/maphash"
	"maps"
	"sync/atomic"
)

// shards bounds what one write copies: a 256th of the index.
const shards = 256

// index finds values by a string key. Reads take no lock and allocate nothing: each shard is an
// immutable map behind an atomic pointer. Writes are for one writer at a time.
type index[V any] struct {
	seed   maphash.Seed
	own    bool // nobody reads yet: writes change the maps in place
	shards [shards]atomic.Pointer[map[string]*V]
}

func newIndex[V any]() *index[V] { return &index[V]{seed: maphash.MakeSeed()} }

func (x *index[V]) shard(key string) *atomic.Pointer[map[string]*V] {
	return &x.shards[maphash.String(x.seed, key)%shards]
}

// get returns nil for an unknown key.
func (x *index[V]) get(key string) *V {
	if m := x.shard(key).Load(); m != nil {
		return (*m)[key]
	}
	return nil
}

// set stores value, or removes the key when value is nil, and returns what was there.
func (x *index[V]) set(key string, value *V) (old *V) {
	at := x.shard(key)
	next := map[string]*V{}
	if m := at.Load(); m != nil {
		if next = *m; !x.own {
			next = maps.Clone(next)
		}
	}
	old = next[key]
	if value == nil {
		delete(next, key)
	} else {
		next[key] = value
	}
	at.Store(&next)
	return old
}
