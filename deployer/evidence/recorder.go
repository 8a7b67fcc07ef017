package evidence

import (
	"slices"
	"sync"

	"egk8s.dev/egk8s/deployer/event"
)

// maxEvents is how many events a Recorder keeps at most.
const maxEvents = 5000

// Recorder keeps the events of a run and passes them on. How far bytes are is passed on only.
type Recorder struct {
	Next event.Sink // may be nil

	mu   sync.Mutex
	seen []event.Event
}

// Emit takes one event.
func (r *Recorder) Emit(e event.Event) {
	if e.Type != event.Progress {
		r.mu.Lock()
		if len(r.seen) == maxEvents {
			r.seen = slices.Delete(r.seen, 0, maxEvents/2)
		}
		r.seen = append(r.seen, e)
		r.mu.Unlock()
	}
	if r.Next != nil {
		r.Next.Emit(e)
	}
}

// Events returns what was kept, oldest first.
func (r *Recorder) Events() []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}
