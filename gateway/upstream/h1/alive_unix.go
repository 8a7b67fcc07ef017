//go:build unix

package h1

import (
	"net"
	"syscall"
)

// quietness tells without waiting whether something came on a connection.
type quietness struct {
	raw   syscall.RawConn
	quiet bool
	look  func(fd uintptr)
}

func (q *quietness) watch(nc net.Conn) {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	q.raw = raw
	q.look = func(fd uintptr) {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		q.quiet = err == syscall.EAGAIN || err == syscall.EINTR
	}
}

// still tells that nothing came, not even the end. What came is lost: such a connection is of no use.
func (q *quietness) still() bool {
	if q.raw == nil {
		return true
	}
	return q.raw.Control(q.look) == nil && q.quiet
}
