package deployer

import (
	"sync"
	"time"

	"egk8s.dev/egk8s/deployer/event"
)

// stream gives events their time and number. It is safe for concurrent use.
type stream struct {
	sink   event.Sink
	target string
	now    func() time.Time

	mu      sync.Mutex
	seq     int64
	started bool
	header  event.Header
	phase   event.Phase
}

func (s *stream) emit(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	e.Time, e.Seq, e.Target = s.now(), s.seq, s.target
	if e.Phase == "" {
		e.Phase = s.phase
	}
	if !s.started {
		header := s.header
		e.Started, s.started = &header, true
	}
	if s.sink != nil {
		s.sink.Emit(e)
	}
}

// begin opens a phase.
func (s *stream) begin(p event.Phase) {
	s.mu.Lock()
	s.phase = p
	s.mu.Unlock()
	s.emit(event.Event{Phase: p, Type: event.PhaseStarted})
}

// end closes the phase that is open, with a summary.
func (s *stream) end(summary string) {
	s.emit(event.Event{Type: event.PhaseFinished, Message: summary})
}

// info says something that is no phase of its own.
func (s *stream) info(message string) {
	s.emit(event.Event{Type: event.Info, Message: message})
}

// update makes the next event carry the header again: cloud and revision are known late.
func (s *stream) update(change func(*event.Header)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.header)
	s.started = false
}

// warn says what does not stop the run.
func (s *stream) warn(message string) {
	s.emit(event.Event{Type: event.Warning, Message: message})
}
