package message

import (
	"bytes"
	"io"
)

// prefetched is the length in bytes up to which Prefetch reads a body.
const prefetched = 64 << 10

// Prefetch reads a small body of known length into memory, so that a client that goes away while the request
// waits is noticed: engines listen for that once a body was read. Larger bodies stay where they are.
func (r *Request) Prefetch() {
	if r.Body == nil || r.ContentLength <= 0 || r.ContentLength > prefetched {
		return
	}
	if _, read := r.Body.(*bytes.Reader); read {
		return
	}
	var buf bytes.Buffer
	buf.Grow(int(r.ContentLength) + bytes.MinRead)
	_, err := buf.ReadFrom(r.Body)
	if err != nil { // whoever reads the body is told
		r.Body = io.MultiReader(bytes.NewReader(buf.Bytes()), failure{err})
		return
	}
	r.Body = bytes.NewReader(buf.Bytes())
}

// failure is the end of a body that broke off.
type failure struct{ err error }

// Read returns the error.
func (f failure) Read([]byte) (int, error) { return 0, f.err }
