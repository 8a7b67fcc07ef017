package network

import (
	"context"
	"fmt"
	"net"
	"runtime"

	"github.com/vishvananda/netns"
)

// Namespace is the network namespace of a process, held open.
type Namespace struct{ handle netns.NsHandle }

// OpenNamespace opens the network namespace of a process.
func OpenNamespace(pid int) (*Namespace, error) {
	h, err := netns.GetFromPid(pid)
	if err != nil {
		return nil, fmt.Errorf("open network namespace of process %d: %w", pid, err)
	}
	return &Namespace{handle: h}, nil
}

// Close lets the namespace go.
func (n *Namespace) Close() error { return n.handle.Close() }

// Do calls a function on a thread that is inside the namespace.
func (n *Namespace) Do(f func() error) error {
	answer := make(chan error, 1)
	go func() {
		// The thread is never unlocked: it ends with the goroutine, so that no
		// other goroutine ever runs in the namespace by mistake.
		runtime.LockOSThread()
		if err := netns.Set(n.handle); err != nil {
			answer <- fmt.Errorf("enter network namespace: %w", err)
			return
		}
		answer <- f()
	}()
	return <-answer
}

// Listen opens a listener inside the namespace.
func (n *Namespace) Listen(network, address string) (net.Listener, error) {
	var l net.Listener
	err := n.Do(func() (err error) {
		l, err = net.Listen(network, address)
		return err
	})
	return l, err
}

// Dial connects from inside the namespace. The address must be a literal one.
func (n *Namespace) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var c net.Conn
	err := n.Do(func() (err error) {
		c, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return c, err
}
