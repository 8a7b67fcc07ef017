package upstream

import (
	"math/rand/v2"
	"slices"
)

// maxTries is how often one request is sent at most.
const maxTries = 6

// tries are the endpoints that one request has met.
type tries struct {
	list [maxTries]*Endpoint
	n    int
}

func (t *tries) add(e *Endpoint) {
	if t.n < maxTries {
		t.list[t.n] = e
	}
	t.n++
}

func (t *tries) has(e *Endpoint) bool {
	return slices.Contains(t.list[:min(t.n, maxTries)], e)
}

// chooser chooses among a set; limit is how many requests an endpoint may have in flight, 0: any number.
type chooser struct {
	strategy Strategy
	limit    int64
}

// pick chooses the endpoint of turn n, one that was not met before and has room; nil: there is none.
// It takes no lock and allocates nothing.
func (c chooser) pick(s *set, n uint64, met *tries) *Endpoint {
	if c.strategy == LeastRequest {
		return c.least(s, n, met)
	}
	urls := uint64(len(s.urls))
	for i := range urls {
		list := s.urls[(n+i)%urls]
		size := uint64(len(list))
		for j := range size {
			if e := list[(n/urls+j)%size]; c.fits(e, met) {
				return e
			}
		}
	}
	return nil
}

func (c chooser) fits(e *Endpoint, met *tries) bool {
	return (c.limit == 0 || e.active.Load() < c.limit) && (met.n == 0 || !met.has(e))
}

// few is up to how many endpoints are all compared; of more, two are chosen at random, which comes close
// to it for a fixed price (Mitzenmacher, "The power of two choices").
const few = 8

func (c chooser) least(s *set, n uint64, met *tries) *Endpoint {
	size := uint64(len(s.all))
	if size > few && met.n == 0 {
		a := s.all[rand.Uint64N(size)]   //nolint:gosec // no secret
		b := s.all[rand.Uint64N(size-1)] //nolint:gosec // no secret
		if b == a {
			b = s.all[size-1]
		}
		if b.active.Load() < a.active.Load() {
			a = b
		}
		if c.fits(a, met) {
			return a
		}
	}
	var best *Endpoint
	var load int64
	for i := range size { // those with the same load take turns
		e := s.all[(n+i)%size]
		if now := e.active.Load(); (best == nil || now < load) && c.fits(e, met) {
			best, load = e, now
		}
	}
	return best
}
