package server

import (
	"net/http"
	"sync"
	"time"
)

// sink sends a response through net/http.
type sink struct {
	w      http.ResponseWriter
	header http.Header
	// stall is how long a client of HTTP/2 may take nothing of its stream; 0: for ever. Connections are
	// watched as a whole, streams are not.
	stall time.Duration
	watch *stallWatch
	body  *body // of the request; nil: none
}

// WriteHead sends the head. Where the header has no type, none is sent: net/http must not guess one.
func (s *sink) WriteHead(status int) {
	if _, ok := s.header["Content-Type"]; !ok {
		s.header["Content-Type"] = nil
	}
	if s.body != nil && s.body.failed.Load() && !s.body.http2 {
		s.header["Connection"] = []string{"close"}
	}
	s.w.WriteHeader(status)
}

// Write sends a part of the body.
func (s *sink) Write(p []byte) (int, error) {
	if s.stall == 0 {
		return s.w.Write(p)
	}
	s.begin()
	n, err := s.w.Write(p)
	s.watch.timer.Stop()
	return n, err
}

// Flush hands everything to the network.
func (s *sink) Flush() error {
	if s.stall == 0 {
		return http.NewResponseController(s.w).Flush()
	}
	s.begin()
	err := http.NewResponseController(s.w).Flush()
	s.watch.timer.Stop()
	return err
}

// begin resets the stream when what follows takes too long.
func (s *sink) begin() {
	if s.watch != nil {
		s.watch.timer.Reset(s.stall)
		return
	}
	w := &stallWatch{control: http.NewResponseController(s.w)}
	w.timer = time.AfterFunc(s.stall, w.reset)
	s.watch = w
}

// stallWatch resets the stream of a client that takes nothing. The timer may fire just when the request ends, and
// must not touch the response behind that: net/http has given it away.
type stallWatch struct {
	control *http.ResponseController
	timer   *time.Timer
	mu      sync.Mutex // held while control is used
	over    bool
}

func (w *stallWatch) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		_ = w.control.SetWriteDeadline(time.Unix(1, 0))
	}
}

func (w *stallWatch) end() {
	w.timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

// end is behind the answer.
func (s *sink) end() {
	if s.watch != nil {
		s.watch.end()
	}
}

// Trailer adds fields behind a chunked body.
func (s *sink) Trailer(name string, values []string) {
	s.header[http.TrailerPrefix+name] = values
}
