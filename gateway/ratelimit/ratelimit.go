// Package ratelimit counts requests by key in fixed windows: Counters in the memory of this process, Shared together
// with others.
//
// Memory is bounded: a window that ended is forgotten by the next request that reaches its shard, and
// there are never more than Options.Keys windows. When a new key comes and its shard is full, the window
// that would end first is forgotten, so that a flood of keys costs those who send it, not the others:
// to be forgotten once, a client must send more requests than there is room for keys.
package ratelimit

import (
	"context"
	"crypto/sha256"
	"hash/maphash"
	"sync"
	"time"
)

const (
	shards = 64
	// DefaultKeys is how many keys are counted at a time: 36 MB when each is an address, at most 50 MB.
	DefaultKeys = 1 << 18
	// longest is the length in bytes from which a key is known by its hash, so that clients who choose
	// their keys cannot fill the memory with them.
	longest = 64
	// spares is how many forgotten windows a shard keeps for new keys.
	spares = 16
)

// Options say how to count.
type Options struct {
	// Keys is how many keys there may be at a time; 0: DefaultKeys.
	Keys int
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Counters are the windows of all keys. They are safe for concurrent use.
type Counters struct {
	seed   maphash.Seed
	now    func() time.Time
	most   int // windows of one shard
	shards [shards]shard
}

// shard holds the windows of some keys. Its lock is held for one look-up.
type shard struct {
	mu      sync.Mutex
	windows map[string]*window
	ending  ending
	spare   []*window
	peak    int // of windows, since the map was made

	_ [64]byte // the next shard's lock is on another cache line
}

// window is one key's count.
type window struct {
	key   string
	count int64
	ends  time.Time
	at    int // in ending
}

// New returns counters that have counted nothing.
func New(o Options) *Counters {
	if o.Keys <= 0 {
		o.Keys = DefaultKeys
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Counters{seed: maphash.MakeSeed(), now: o.Now, most: max(1, o.Keys/shards)}
	for i := range c.shards {
		c.shards[i].windows = map[string]*window{}
	}
	return c
}

// Hit counts one request of key. It returns how many its window holds, this one included, and when the
// window ends. The first request of a key, and the first one after its window ended, opens a window of
// the given length. A length of nothing makes every request the first one.
// The key is not kept. The error is always nil: it is for counters that are somewhere else.
//
// EG: INCR and PEXPIRE of rate-limit-redis; the length is that of whoever opened the window.
func (c *Counters) Hit(_ context.Context, key []byte, length time.Duration) (int64, time.Time, error) {
	now := c.now()
	if length <= 0 {
		return 1, now, nil
	}
	var hashed [sha256.Size]byte
	if len(key) > longest {
		hashed = sha256.Sum256(key)
		key = hashed[:]
	}
	s := &c.shards[maphash.Bytes(c.seed, key)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.windows[string(key)]
	if w == nil {
		s.forgetEnded(now)
		if len(s.windows) >= c.most {
			s.forgetFirst()
		}
		w = s.open(key, now.Add(length))
	} else if !now.Before(w.ends) {
		w.count, w.ends = 0, now.Add(length)
		s.ending.moved(w.at)
	}
	w.count++
	return w.count, w.ends, nil
}

// Len returns how many windows there are, some of which may have ended.
func (c *Counters) Len() int {
	n := 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n += len(s.windows)
		s.mu.Unlock()
	}
	return n
}

// open makes a window for a key that has none.
func (s *shard) open(key []byte, ends time.Time) *window {
	var w *window
	if n := len(s.spare); n > 0 {
		w, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		w = &window{}
	}
	*w = window{key: string(key), ends: ends}
	s.windows[w.key] = w
	s.peak = max(s.peak, len(s.windows))
	s.ending.push(w)
	return w
}

// forgetEnded forgets the windows that ended.
func (s *shard) forgetEnded(now time.Time) {
	for len(s.ending) > 0 && !now.Before(s.ending[0].ends) {
		s.forgetFirst()
	}
	if len(s.windows) == 0 && s.peak > 4*spares {
		s.windows, s.ending, s.peak = map[string]*window{}, nil, 0 // a map never gives back its room
	}
}

// forgetFirst forgets the window that ends first.
func (s *shard) forgetFirst() {
	w := s.ending.pop()
	delete(s.windows, w.key)
	if len(s.spare) < spares {
		*w = window{}
		s.spare = append(s.spare, w)
	}
}
