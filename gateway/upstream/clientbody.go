package upstream

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/message"
)

// settling is how long a body that is being read may take to say why, when its request's context is done.
const settling = time.Second

// clientBody remembers that the client's body could not be read: then the service is not to blame.
// Its Close does nothing, so that a service that fails early is answered for at once, not after the whole body.
type clientBody struct {
	body io.Reader
	end  func() // is called at the body's end; nil: nothing is to be done

	mu      sync.Mutex // guards what follows
	begun   bool
	reading bool          // a Read goes on
	waiting chan struct{} // closed when that Read returns; nil: nobody waits for it
	broken  error         // what reading failed with
}

// Read reads from the client.
func (b *clientBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	b.begun, b.reading = true, true
	b.mu.Unlock()
	n, err := b.body.Read(p)
	if b.end != nil && errors.Is(err, io.EOF) {
		b.end()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil && !errors.Is(err, io.EOF) {
		b.broken = err
	}
	b.reading = false
	if b.waiting != nil {
		close(b.waiting)
		b.waiting = nil
	}
	return n, err
}

// announce makes the client's fields behind its body those of req, as far as the client has announced them:
// net/http sends no others.
func (b *clientBody) announce(req *http.Request, trailer func() message.Header) {
	announced := trailer().Map()
	if len(announced) == 0 {
		return
	}
	req.Trailer = make(http.Header, len(announced))
	for name := range announced {
		req.Trailer[name] = nil
	}
	b.end = func() {
		for name, values := range trailer().All() {
			if _, ok := req.Trailer[name]; ok {
				req.Trailer[name] = values
			}
		}
	}
}

// Close does nothing.
func (*clientBody) Close() error { return nil }

// used tells that some of the body was read, or is being read.
func (b *clientBody) used() bool {
	if b == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun
}

// failure returns why the body could not be read; nil: nothing is wrong with it, as far as is known. Where the
// request's context is done, a Read that goes on may say why: net/http ends the context just before.
func (b *clientBody) failure(done bool) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	if done && b.reading {
		waiting := make(chan struct{})
		b.waiting = waiting
		b.mu.Unlock()
		timer := time.NewTimer(settling)
		defer timer.Stop()
		select {
		case <-waiting:
		case <-timer.C:
		}
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	return b.broken
}
