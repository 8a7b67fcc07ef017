package h1

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/message"
)

const (
	// grace is how long a body may still be on its way when its answer is complete already.
	grace = 100 * time.Millisecond
	// partSize is how much of a body goes out in one write.
	partSize = 32 << 10
	// headDelay is how long a head waits for the first bytes of its body, to go out with them.
	headDelay = 20 * time.Millisecond
	// settling is how long a body that is being read may take to say why, when its request's context is done.
	settling = time.Second
)

var parts = sync.Pool{New: func() any { //nolint:gochecknoglobals // a pool is only of use when shared
	b := make([]byte, partSize)
	return &b
}}

// The states of an upload.
const (
	sending  int32 = iota
	sent           // whole
	broken         // the service takes no more
	unread         // the body could not be read
	detached       // the answer is complete, and the connection belongs to the sender
)

// upload is a body on its way to the service, sent by a goroutine of its own.
type upload struct {
	c     *conn
	body  io.Reader
	trail func() message.Header // the fields behind the body; nil: none
	left  int64                 // -1: unknown
	state atomic.Int32
	// reading tells that it waits for the caller's body, not for the service; it stays so when that fails.
	reading atomic.Bool
	last    atomic.Int64 // when the service last took something, in Unix nanoseconds
	err     error        // of reading the body; valid once state is unread
	timer   *time.Timer  // limits a detached upload
	looked  bool         // the reader has set the time at which the head goes out by itself
	// ended is closed with the sending where somebody waits for that; nil: nobody does.
	ended atomic.Pointer[chan struct{}]

	mu   sync.Mutex // guards head, and who writes it
	head []byte     // not sent yet
}

// startUpload sends the head in out and the body behind it.
func (c *conn) startUpload(r *Request) {
	u := &upload{c: c, body: r.Body, trail: r.Trailer, left: max(-1, r.ContentLength), head: c.out}
	u.last.Store(c.active.UnixNano())
	c.upload = u
	if len(c.out) > partSize/2 {
		u.sendHead()
	}
	c.arm(c.active)
	go u.run()
}

// sendHead sends the head by itself when the body does not come at once: the service may answer without it.
func (u *upload) sendHead() {
	if !u.mu.TryLock() {
		return // it is being sent
	}
	defer u.mu.Unlock()
	if u.head != nil {
		_, _ = u.c.nc.Write(u.head) // the sender or the reader meets the error too
		u.head = nil
	}
}

// run sends the body and leaves the connection to whom it belongs.
func (u *upload) run() {
	buf := parts.Get().(*[]byte) //nolint:forcetypeassert // nothing else is put there
	state := u.guarded(*buf)
	parts.Put(buf)
	if u.state.CompareAndSwap(sending, state) {
		if ended := u.ended.Load(); ended != nil {
			close(*ended)
		}
		if state == unread {
			_ = u.c.nc.Close() // the service must not take the body for whole, and the caller waits
		}
		return
	}
	if u.timer.Stop() && state == sent {
		u.c.pool.put(u.c)
		return
	}
	u.c.close()
}

// settle lets a body that is being read come to its end: net/http ends the request's context just before it
// returns why the body cannot be read, and that reason is the one to answer for.
func (u *upload) settle() {
	if !u.reading.Load() {
		return
	}
	ended := make(chan struct{})
	u.ended.Store(&ended)
	if u.state.Load() != sending {
		return
	}
	timer := time.NewTimer(settling)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

// guarded sends. A panic of the body's, which is not ours, ends this request and not the process.
func (u *upload) guarded(buf []byte) (state int32) {
	defer func() {
		if p := recover(); p != nil {
			u.err = fmt.Errorf("%w: panic: %v", ErrBody, p)
			state = unread
		}
	}()
	return u.send(buf)
}

// send copies the body and returns how that ended.
func (u *upload) send(buf []byte) int32 {
	room := 0 // before the data: for the head and the size of a chunk
	u.mu.Lock()
	room = len(u.head) + len("ffffffff\r\n")
	u.mu.Unlock()
	last := u.left
	for last != 0 {
		n, err := u.read(buf[room : len(buf)-len("\r\n0\r\n\r\n")])
		end := errors.Is(err, io.EOF)
		if u.left > 0 {
			u.left -= int64(n)
			if end && u.left > 0 {
				err, end = io.ErrUnexpectedEOF, false
			}
		}
		if err != nil && !end {
			u.err = fmt.Errorf("%w: %w", ErrBody, err)
			return unread
		}
		if end || u.left == 0 {
			last = 0
		}
		if n == 0 && last != 0 {
			continue
		}
		if u.write(buf, room, n, last == 0) != nil {
			return broken
		}
	}
	return sent
}

func (u *upload) read(p []byte) (int, error) {
	if u.left >= 0 && int64(len(p)) > u.left {
		p = p[:u.left]
	}
	u.reading.Store(true)
	n, err := u.body.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		u.reading.Store(false)
	}
	return n, err
}

// write sends n bytes at room, framed as a chunk where the length is unknown, with the head when that is due.
func (u *upload) write(buf []byte, room, n int, last bool) error {
	from, to := room, room+n
	if u.left < 0 {
		if n > 0 {
			var size [10]byte
			text := append(strconv.AppendInt(size[:0], int64(n), 16), "\r\n"...)
			from -= copy(buf[room-len(text):], text)
			to += copy(buf[to:], "\r\n")
		}
		if last && u.trail == nil {
			to += copy(buf[to:], "0\r\n\r\n")
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.head != nil {
		from -= copy(buf[from-len(u.head):], u.head)
		u.head = nil
	}
	out := buf[from:to]
	if last && u.left < 0 && u.trail != nil {
		out = appendTrailer(append([]byte(nil), out...), u.trail())
	}
	_, err := u.c.nc.Write(out)
	u.last.Store(time.Now().UnixNano())
	return err
}

// appendTrailer ends a chunked body with the fields behind it, as far as they can be sent and mean anything there.
func appendTrailer(b []byte, trailer message.Header) []byte {
	b = append(b, "0\r\n"...)
	for name, values := range trailer.All() {
		for _, value := range values {
			if isToken(name) && isValue(value) && !omitted(name) {
				b = append(append(append(b, name...), ": "...), value...)
				b = append(b, "\r\n"...)
			}
		}
	}
	return append(b, "\r\n"...)
}

// finish gives the connection back, or closes it.
func (c *conn) finish(keep bool) {
	c.unwatch()
	u := c.upload
	if u != nil && u.state.Load() == sending {
		runtime.Gosched() // the service has it all, most likely, and the sender is just behind its last write
	}
	if !keep {
		c.close()
		return
	}
	if u == nil || u.state.Load() == sent {
		c.pool.put(c)
		return
	}
	// The last bytes may just be on their way. Where more is to come, the service did not want it.
	u.timer = time.AfterFunc(grace, func() { _ = c.nc.Close() })
	if u.state.CompareAndSwap(sending, detached) {
		return
	}
	u.timer.Stop()
	if u.state.Load() == sent {
		c.pool.put(c)
		return
	}
	c.close()
}
