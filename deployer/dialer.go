package deployer

import (
	"context"
	"net"
	"sync"
)

// Dialer opens connections to one listener of a release through the API server. Unlike PortForward it
// opens no port on this machine that somebody else could use.
type Dialer struct {
	forward *forwarder
	end     context.CancelFunc
	all     sync.WaitGroup
	ctx     context.Context //nolint:containedctx // that of the connections, which outlive the call that dialled

	mu   sync.Mutex
	last error
}

// OpenDialer finds a ready pod of the release. Options' LocalPort and Ready have no meaning here. Close ends
// all connections.
func OpenDialer(ctx context.Context, opts ForwardOptions) (*Dialer, error) {
	s, err := connect(opts.Target, nil, opts.Name, "")
	if err != nil {
		return nil, err
	}
	port, err := s.podPort(ctx, opts.Listener)
	if err != nil {
		return nil, err
	}
	d := &Dialer{forward: &forwarder{session: s, port: port}}
	d.ctx, d.end = context.WithCancel(ctx)
	if _, err := d.forward.tunnel(ctx); err != nil {
		d.end()
		return nil, err
	}
	return d, nil
}

// DialContext is for http.Transport: whatever address is asked for, the connection goes to the listener.
func (d *Dialer) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	if _, err := d.forward.tunnel(ctx); err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	d.all.Go(func() {
		defer far.Close() //nolint:errcheck // both sides are done
		err := d.forward.carry(d.ctx, far)
		d.mu.Lock()
		d.last = err
		d.mu.Unlock()
	})
	return near, nil
}

// Err says why the last connection that ended did so; nil: as it should.
func (d *Dialer) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// Close ends every connection.
func (d *Dialer) Close() {
	d.end()
	d.forward.close()
	d.all.Wait()
}
