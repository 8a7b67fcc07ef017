package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestShutdownLosesNothingOnKeptConnections speaks over plain sockets that never repeat a request: what is
// sent on a connection that the gateway has not announced to close must be answered.
func TestShutdownLosesNothingOnKeptConnections(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": saying("x")}, map[string]string{"EGK8S_DRAIN_DELAY": "400ms"})
	address := g.Status().Listeners["http"]
	var clients sync.WaitGroup
	var answered, kept atomic.Int64
	for range 8 {
		clients.Go(func() {
			for {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					return // the port is closed: a new client goes elsewhere
				}
				n, err := askUntilClosed(conn)
				_ = conn.Close()
				answered.Add(int64(n))
				if n > 1 {
					kept.Add(1)
				}
				if err != nil && n > 0 {
					t.Errorf("request %d of a kept connection was lost: %v", n+1, err)
				}
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	g.signals <- syscall.SIGTERM
	clients.Wait()
	if kept.Load() == 0 || answered.Load() < 50 {
		t.Errorf("%d answers, %d kept connections: too few to tell anything", answered.Load(), kept.Load())
	}
}

// askUntilClosed sends requests until an answer announces the end, and returns how many were answered.
func askUntilClosed(conn net.Conn) (int, error) {
	lines := bufio.NewReader(conn)
	for n := 0; ; n++ {
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
			return n, err
		}
		resp, err := http.ReadResponse(lines, nil)
		if err != nil {
			return n, err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return n, err
		}
		if resp.Close {
			return n + 1, nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}
