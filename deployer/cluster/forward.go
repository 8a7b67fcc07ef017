package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// Tunnel carries connections to the ports of one pod through the API server.
type Tunnel struct {
	conn httpstream.Connection

	mu sync.Mutex
	id int
}

// OpenTunnel opens a tunnel to a pod. The caller closes it.
func (c *Client) OpenTunnel(ctx context.Context, namespace, pod string) (*Tunnel, error) {
	u, err := url.Parse(c.url("namespaces", namespace, "pods", pod, "portforward"))
	if err != nil {
		return nil, fmt.Errorf("forward to pod %s: %w", pod, err)
	}
	transport, upgrader, err := spdy.RoundTripperFor(c.config)
	if err != nil {
		return nil, fmt.Errorf("forward to pod %s: %w", pod, err)
	}
	old := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, u)
	websocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(u, c.config)
	if err != nil {
		return nil, fmt.Errorf("forward to pod %s: %w", pod, err)
	}
	dialer := portforward.NewFallbackDialerForStreaming(websocket, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	type dialed struct {
		conn httpstream.Connection
		err  error
	}
	done := make(chan dialed, 1)
	go func() {
		conn, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
		done <- dialed{conn, err}
	}()
	select {
	case d := <-done:
		if d.err != nil {
			return nil, c.explain("forward to", podRef(namespace, pod), d.err)
		}
		return &Tunnel{conn: d.conn}, nil
	case <-ctx.Done():
		go func() { // the dialer knows no context: what it still opens is closed when it comes
			if d := <-done; d.err == nil {
				_ = d.conn.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// ErrNoStream says that the tunnel carries nothing any more; nothing of the connection was read.
var ErrNoStream = errors.New("open stream")

// Lost is closed when the tunnel is gone.
func (t *Tunnel) Lost() <-chan bool { return t.conn.CloseChan() }

// Close ends the tunnel and every connection in it.
func (t *Tunnel) Close() error { return t.conn.Close() }

// Carry copies between local and a port of the pod until both sides are done. It closes neither the
// tunnel nor local.
func (t *Tunnel) Carry(local io.ReadWriter, port int) error {
	t.mu.Lock()
	t.id++
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(t.id))
	t.mu.Unlock()
	failure, err := t.conn.CreateStream(headers)
	if err != nil {
		return fmt.Errorf("%w to port %d: %w", ErrNoStream, port, err)
	}
	_ = failure.Close() // nothing is written to it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := t.conn.CreateStream(headers)
	if err != nil {
		t.conn.RemoveStreams(failure)
		return fmt.Errorf("%w to port %d: %w", ErrNoStream, port, err)
	}
	defer t.conn.RemoveStreams(failure, data)
	return exchange(local, data, failure, port)
}

// exchange copies both ways; the end of one direction ends only that direction.
func exchange(local io.ReadWriter, data, failure httpstream.Stream, port int) error {
	up := make(chan struct{})
	go func() {
		defer close(up)
		_, _ = io.Copy(data, local)
		_ = data.Close()
	}()
	_, err := io.Copy(local, data)
	if c, ok := local.(interface{ CloseWrite() error }); ok {
		err = errors.Join(err, c.CloseWrite())
	}
	select {
	case <-up:
	default:
		_ = data.Reset()
	}
	message, readErr := io.ReadAll(failure)
	if readErr == nil && len(message) > 0 {
		return fmt.Errorf("forward to port %d: %s", port, message)
	}
	return err
}
