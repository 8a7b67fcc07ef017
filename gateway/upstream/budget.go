package upstream

import (
	"sync/atomic"
	"time"
)

// budget keeps retries from multiplying the load of a service that is failing already: of the requests of
// the last ten seconds only a share may be sent again. It takes no lock; at the turn of a second a few
// counts may be lost.
type budget struct {
	slots [budgetSeconds]struct {
		second            atomic.Int64
		requests, retries atomic.Int64
	}
}

const budgetSeconds = 10

// request counts one request. now is a time since any fixed point.
func (b *budget) request(now time.Duration) {
	second := int64(now / time.Second)
	slot := &b.slots[second%budgetSeconds]
	if old := slot.second.Load(); old != second && slot.second.CompareAndSwap(old, second) {
		slot.requests.Store(0)
		slot.retries.Store(0)
	}
	slot.requests.Add(1)
}

// allow tells whether one more retry is within r, and counts it.
func (b *budget) allow(now time.Duration, r Retries) bool {
	second := int64(now / time.Second)
	var requests, retries int64
	for i := range b.slots {
		if slot := &b.slots[i]; second-slot.second.Load() < budgetSeconds {
			requests += slot.requests.Load()
			retries += slot.retries.Load()
		}
	}
	slot := &b.slots[second%budgetSeconds]
	if retries >= requests*int64(r.Budget)/100 && slot.retries.Load() >= int64(r.MinPerSecond) {
		return false
	}
	slot.retries.Add(1)
	return true
}
