package network

import (
	"errors"
	"fmt"
	"net"
)

// FreePorts are n TCP ports of an address that nobody uses now. Another program
// may take one before it is used; the caller's program then says so and ends.
func FreePorts(address string, n int) ([]int, error) {
	var ports []int
	var listeners []net.Listener
	var failure error
	for range n {
		l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
		if err != nil {
			failure = fmt.Errorf("find a free port: %w", err)
			break
		}
		listeners = append(listeners, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	for _, l := range listeners {
		failure = errors.Join(failure, l.Close())
	}
	return ports, failure
}
