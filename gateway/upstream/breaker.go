package upstream

import (
	"sync/atomic"
	"time"
)

// OpenError says that a request was not sent because the service's circuit is open: too many requests are
// in flight, or too many failed.
type OpenError struct {
	// RetryAfter is when it may be worth to try again.
	RetryAfter time.Duration
	// Reason says which limit was met.
	Reason string
}

// Error says why nothing was sent.
func (e *OpenError) Error() string { return "the circuit of the service is open: " + e.Reason }

// breaker is the circuit breaker of one service.
type breaker struct {
	active    atomic.Int64
	failures  atomic.Int64 // in a row
	openUntil atomic.Int64 // a time.Duration since the service's beginning; 0: closed
	refused   atomic.Uint64
}

// enter admits a request, which must leave again.
func (b *breaker) enter(now time.Duration, o Breaker) error {
	if n := b.active.Add(1); o.MaxRequests > 0 && n > int64(o.MaxRequests) {
		return b.refuse(time.Second, "as many requests are in flight as circuitBreaker.maxRequests allows")
	}
	until := b.openUntil.Load()
	if until == 0 {
		return nil
	}
	// Behind its time one request tries whether the service is back; the others wait for what it finds.
	if now < time.Duration(until) || !b.openUntil.CompareAndSwap(until, int64(now+o.Time)) {
		return b.refuse(max(time.Duration(until)-now, time.Second), "too many requests failed in a row")
	}
	return nil
}

func (b *breaker) refuse(after time.Duration, reason string) error {
	b.active.Add(-1)
	b.refused.Add(1)
	return &OpenError{RetryAfter: after, Reason: reason}
}

func (b *breaker) leave() { b.active.Add(-1) }

// succeeded closes the circuit.
func (b *breaker) succeeded() {
	if b.failures.Load() != 0 {
		b.failures.Store(0)
		b.openUntil.Store(0)
	}
}

// failed opens the circuit when that was one too many.
func (b *breaker) failed(now time.Duration, o Breaker) {
	if o.Failures > 0 && b.failures.Add(1) >= int64(o.Failures) {
		b.openUntil.Store(int64(now + o.Time))
	}
}

func (b *breaker) open(now time.Duration) bool { return int64(now) < b.openUntil.Load() }
