package message

import (
	"errors"
	"net"
)

// ErrNoSwitch says that the connection below cannot leave HTTP.
var ErrNoSwitch = errors.New("the client's connection cannot switch protocols")

// Switcher is a Sink whose connection can leave HTTP.
type Switcher interface {
	// Switch sends status 101 with the fields of the Response's Header and returns the client's connection,
	// which is the caller's to close then. It may be closed at any time when the engine ends.
	Switch(protocol string) (net.Conn, error)
}

// Switch answers with status 101 and returns the client's connection, on which protocol is spoken from now
// on. When it fails, nothing was sent.
func (r *Response) Switch(protocol string) (net.Conn, error) {
	s, ok := r.sink.(Switcher)
	if !ok || r.status != 0 {
		return nil, ErrNoSwitch
	}
	for _, f := range r.onHead {
		f(r)
	}
	conn, err := s.Switch(protocol)
	if err == nil {
		r.status = 101
	}
	return conn, err
}

// Sent counts bytes that went to the client past Write.
func (r *Response) Sent(n int64) { r.bytes += n }
