package network

import (
	"context"
	"io"
	"net"
	"sync"
)

// Forward joins each connection to the listener with one made by dial, until the
// context ends or the listener closes. It returns when every copy has ended.
func Forward(ctx context.Context, l net.Listener, dial func(context.Context) (net.Conn, error)) {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var open sync.WaitGroup
	defer open.Wait()
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		open.Go(func() { join(ctx, in, dial) })
	}
}

func join(ctx context.Context, in net.Conn, dial func(context.Context) (net.Conn, error)) {
	defer func() { _ = in.Close() }()
	out, err := dial(ctx)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = in.Close(); _ = out.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { pipe(out, in) })
	both.Go(func() { pipe(in, out) })
	both.Wait()
}

// pipe copies one direction and then says so to the other end, for a stream may
// be closed one way and go on the other.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if c, ok := to.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}
