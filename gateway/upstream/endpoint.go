package upstream

import (
	"sync/atomic"
	"time"
)

// Endpoint is one address of a service, such as one pod. Its counters are read and written without a lock;
// what the Service guards is marked.
type Endpoint struct {
	origin  *Origin
	target  *Target
	address string

	active       atomic.Int64
	failures     atomic.Int64 // in a row
	serverErrors atomic.Int64 // in a row
	sent         atomic.Uint64
	answers      [6]atomic.Uint64 // by the status's first digit
	failed       [failureKinds]atomic.Uint64
	ejections    atomic.Uint64
	out          atomic.Bool // sits out after failures
	unhealthy    atomic.Bool // by the active check

	// Guarded by Service.mu.
	gone     bool
	strikes  int       // how often in a row it was ejected: doubles the time
	returned time.Time // from the last ejection
	readmit  *time.Timer

	// Of the checker's goroutine.
	streak int // equal results in a row that differ from the state
}

// usable tells whether requests may go there.
func (e *Endpoint) usable() bool { return !e.out.Load() && !e.unhealthy.Load() }

// set is the endpoints in use. It is never changed: a change is a new set.
type set struct {
	urls [][]*Endpoint // by URL, only those with endpoints
	all  []*Endpoint
}

// newSet takes the usable endpoints, or all of them where none is: a request that may fail is better than one that must.
func newSet(origins []*Origin) *set {
	for _, all := range []bool{false, true} {
		s := &set{}
		for _, o := range origins {
			var list []*Endpoint
			for _, e := range o.endpoints {
				if all || e.usable() {
					list = append(list, e)
				}
			}
			if len(list) > 0 {
				s.urls, s.all = append(s.urls, list), append(s.all, list...)
			}
		}
		if len(s.all) > 0 {
			return s
		}
	}
	return &set{}
}
