package h1

import (
	"context"
	"net"
)

// RoundTrip sends r over nc.
func RoundTrip(ctx context.Context, nc net.Conn, r *Request) (*Response, error) {
	return newConn(New("", Options{}), nc, nc).roundTrip(ctx, r)
}
