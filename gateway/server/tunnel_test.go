package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// echoing is a service that switches to the protocol that it is asked for and echoes from then on.
// At /no it does not switch.
func echoing(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" || r.Header.Get("Upgrade") == "" {
			_, _ = io.WriteString(w, "plain "+r.Header.Get("Connection")+r.Header.Get("Upgrade"))
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + r.Header.Get("Upgrade") +
			"\r\nSec-WebSocket-Accept: " + r.Header.Get("Sec-WebSocket-Key") + "\r\n\r\nhello;")
		_ = rw.Flush()
		_, _ = io.Copy(conn, rw)
	}))
	t.Cleanup(s.Close)
	return s
}

// askToSwitch sends a request for an upgrade and returns the answer's head and what follows.
func askToSwitch(t *testing.T, address, path, protocol, behind string) (net.Conn, []string, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "+protocol+
		"\r\nSec-WebSocket-Key: key\r\n\r\n"+behind)
	r := bufio.NewReader(conn)
	return conn, readHead(r), r
}

func TestSwitchingProtocols(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(echoing(t).URL)}, nil)
	address := g.Status().Listeners["http"]
	conn, head, r := askToSwitch(t, address, "/ws", "websocket", "early;")
	if all := strings.Join(head, "\n"); head[0] != "HTTP/1.1 101 Switching Protocols" || !strings.Contains(all, "Upgrade: websocket") ||
		!strings.Contains(all, "Sec-Websocket-Accept: key") {
		t.Fatalf("%q", head)
	}
	if got := get(t, g.url("metrics")+"/metrics").body; !strings.Contains(got, "egk8s_requests_in_flight 1") {
		t.Error("the tunnel does not count as in flight")
	}
	_, _ = io.WriteString(conn, "late;")
	got := make([]byte, len("hello;early;late;"))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "hello;early;late;" {
		t.Fatalf("%q, %v", got, err)
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
	eventually(t, "the end of the tunnel in the metrics", func() bool {
		m := get(t, g.url("metrics")+"/metrics").body
		return strings.Contains(m, "egk8s_requests_in_flight 0") && strings.Contains(m, `status="1xx"} 1`)
	})
}

func TestNotSwitchingProtocols(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(echoing(t).URL)}, nil)
	for _, tt := range []struct{ path, protocol, want string }{
		{"/no", "websocket", "plain Upgradewebsocket"}, // the service does not want to
		{"/", "h2c", "plain "},                         // would carry requests past the policies
		{"/", "websocket, h2c", "plain "},
		{"/", "HTTP/2.0", "plain "},
	} {
		_, head, r := askToSwitch(t, g.Status().Listeners["http"], tt.path, tt.protocol, "")
		body := make([]byte, len(tt.want))
		_, _ = io.ReadFull(r, body)
		if head[0] != "HTTP/1.1 200 OK" || string(body) != tt.want {
			t.Errorf("%s: %q %q", tt.protocol, head, body)
		}
	}
}

func TestSwitchedConnectionsEndWithTheGateway(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(echoing(t).URL)}, map[string]string{"EGK8S_DRAIN_TIMEOUT": "100ms"})
	_, head, r := askToSwitch(t, g.Status().Listeners["http"], "/ws", "websocket", "")
	if head[0] != "HTTP/1.1 101 Switching Protocols" {
		t.Fatalf("%q", head)
	}
	g.stop(t)
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("not ended in order: %v", err)
	}
}

func TestSwitchedConnectionsEndWhenSilent(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(echoing(t).URL, "proxyTimeout: 2000")}, nil)
	conn, _, r := askToSwitch(t, g.Status().Listeners["http"], "/ws", "websocket", "")
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	want := "hello;"
	for begin := time.Now(); time.Since(begin) < 2500*time.Millisecond; time.Sleep(50 * time.Millisecond) { // as long as somebody speaks it stays
		if _, err := io.WriteString(conn, "x"); err != nil {
			t.Fatal(err)
		}
		want += "x"
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

// TestSwitchedConnectionsAreWaitedFor holds that a connection that left HTTP goes on while the gateway drains, and
// that its end is the end of draining.
func TestSwitchedConnectionsAreWaitedFor(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": proxyTo(echoing(t).URL)}, map[string]string{"EGK8S_DRAIN_TIMEOUT": "1h"})
	address := g.Status().Listeners["http"]
	conn, _, r := askToSwitch(t, address, "/ws", "websocket", "")
	g.signals <- syscall.SIGTERM
	eventually(t, "the end of the port", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	_, _ = io.WriteString(conn, "late;")
	got := make([]byte, len("hello;late;"))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "hello;late;" {
		t.Errorf("while draining: %q, %v", got, err)
	}
	_ = conn.Close()
	err := <-g.ended
	g.ended <- err
	if err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
}
