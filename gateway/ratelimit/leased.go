package ratelimit

import (
	"context"
	"crypto/sha256"
	"hash/maphash"
	"time"
)

// Leased returns a counter for a limit of most requests in a window; 0: there is none. It takes requests from the source
// in blocks of a twentieth of the limit, smaller ones when the limit is near, and counts them without asking again.
//
// A window that is new to this process begins at once, on credit of one block, while the source is asked. So with n
// processes at most n blocks more than the limit get through; and as much of what others took may be left unused when
// the window ends. Without the source each process counts on its own.
func (s *Shared) Leased(most int64) *Leased { return &Leased{s, most} }

// Leased counts in blocks.
type Leased struct {
	shared *Shared
	most   int64
}

// Hit counts one request of key, as Counters.Hit.
func (l *Leased) Hit(ctx context.Context, key []byte, length time.Duration) (int64, time.Time, error) {
	s, now := l.shared, l.shared.now()
	if length <= 0 {
		return 1, now, nil
	}
	at, hashed := key, [sha256.Size]byte{}
	if len(key) > longest {
		hashed = sha256.Sum256(key)
		at = hashed[:]
	}
	shard := &s.shards[maphash.Bytes(s.seed, at)%shards]
	shard.mu.Lock()
	w := shard.open(at, now, length, s.most, l.block(0))
	w.count++
	mine := w.count
	var answer chan struct{}
	if l.wants(w) && !w.asked {
		w.asked, w.answer = true, make(chan struct{})
		n := w.block + max(0, w.count-w.taken)
		if !s.ask(question{Ask{name(key), n, length}, func(g Grant, err error) { l.granted(shard, w, n, g, err) }}) {
			w.asked = false
		}
	}
	if w.asked && mine > w.taken+w.block && (l.most == 0 || w.others+mine <= l.most) {
		answer = w.answer // the credit is used up
	}
	count, ends := w.others+mine, w.ends
	shard.mu.Unlock()
	if answer == nil {
		return count, ends, nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-answer:
	case <-timer.C:
	case <-ctx.Done():
	}
	shard.mu.Lock()
	defer shard.mu.Unlock()
	return w.others + mine, w.ends, nil
}

// wants tells whether more must be taken soon, and whether there may be more.
func (l *Leased) wants(w *lease) bool {
	return w.taken-w.count < (w.block+1)/2 && (l.most == 0 || w.others+w.taken < l.most)
}

// block is how many requests are taken next, when so many are taken.
func (l *Leased) block(total int64) int64 {
	if l.most == 0 {
		return unlimited
	}
	block := min((l.most+share-1)/share, mostOfBlock)
	return max(1, min(block, (l.most-total)/10))
}

// granted takes what the source said.
func (l *Leased) granted(shard *leases, w *lease, n int64, g Grant, err error) {
	shard.mu.Lock()
	defer shard.mu.Unlock()
	w.asked = false
	close(w.answer)
	if err != nil {
		return
	}
	if g.Total < w.taken+n { // the window at the source is a new one
		w.count, w.taken = max(0, w.count-w.taken), 0
	}
	w.taken += n
	w.others = g.Total - w.taken
	w.block = l.block(g.Total)
	w.ends = l.shared.now().Add(g.Left)
	if w.at < len(shard.order) && shard.order[w.at] == &w.window { // else it was forgotten meanwhile
		shard.order.changed(w.at)
	}
}

// open returns the window of a key, a new one where there is none or it ended.
func (s *leases) open(key []byte, now time.Time, length time.Duration, most int, block int64) *lease {
	w := s.windows[string(key)]
	if w != nil && now.Before(w.ends) {
		return w
	}
	if w != nil {
		s.forget(w)
	}
	for len(s.order) > 0 && (!now.Before(s.order[0].ends) || len(s.windows) >= most) {
		s.forget(s.windows[s.order[0].key])
	}
	w = &lease{window: window{key: string(key), ends: now.Add(length)}, block: block}
	s.windows[w.key] = w
	s.order.push(&w.window)
	return w
}

func (s *leases) forget(w *lease) {
	s.order.remove(w.at)
	delete(s.windows, w.key)
}
