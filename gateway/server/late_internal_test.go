package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/message"
)

// fragile is a response as net/http has it for HTTP/2: whoever uses it behind the end of its request panics.
type fragile struct {
	*httptest.ResponseRecorder
	used  chan struct{} // somebody begins to
	ended atomic.Bool
	late  atomic.Bool // used behind the end
}

func (f *fragile) EnableFullDuplex() error { return nil }

func (f *fragile) use(time.Time) error {
	select {
	case f.used <- struct{}{}:
	default:
	}
	time.Sleep(20 * time.Millisecond) // time for the request to end meanwhile, were nothing to hold it
	if f.ended.Load() {
		f.late.Store(true)
	}
	return nil
}

func (f *fragile) SetReadDeadline(t time.Time) error  { return f.use(t) }
func (f *fragile) SetWriteDeadline(t time.Time) error { return f.use(t) }

// TestNobodyUsesAResponseBehindItsEnd: an upload that a service did not wait for, and the timer of a client that
// takes nothing, run beside the request and may outlive it.
func TestNobodyUsesAResponseBehindItsEnd(t *testing.T) {
	t.Parallel()
	t.Run("upload", func(t *testing.T) {
		t.Parallel()
		w := &fragile{ResponseRecorder: httptest.NewRecorder(), used: make(chan struct{}, 1)}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("body"))
		r.ProtoMajor = 2
		b := newBody(w, r, &limits{body: time.Minute})
		read := make(chan struct{})
		go func() {
			defer close(read)
			_, _ = b.Read(make([]byte, 1))
		}()
		<-w.used
		b.end(&message.Exchange{})
		w.ended.Store(true)
		<-read
		if n, err := b.Read(make([]byte, 1)); n > 0 || err == nil || w.late.Load() {
			t.Errorf("used behind the end: %v; read %d, %v", w.late.Load(), n, err)
		}
	})
	t.Run("stall", func(t *testing.T) {
		t.Parallel()
		w := &fragile{ResponseRecorder: httptest.NewRecorder(), used: make(chan struct{}, 1)}
		s := &sink{w: w, stall: time.Millisecond}
		s.begin()
		<-w.used
		s.end()
		w.ended.Store(true)
		time.Sleep(30 * time.Millisecond) // the timer's turn is over
		if w.late.Load() {
			t.Error("used behind the end")
		}
	})
}
