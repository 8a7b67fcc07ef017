package upstream_test

import (
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream"
)

// service is a backend that counts its connections and says what it was asked.
type service struct {
	*httptest.Server
	url    *url.URL
	opened atomic.Int64
	closed atomic.Int64
}

func newService(t *testing.T, tls bool, h http.HandlerFunc) *service {
	t.Helper()
	s := &service{Server: httptest.NewUnstartedServer(h)}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.opened.Add(1)
		case http.StateClosed:
			s.closed.Add(1)
		default:
		}
	}
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.url = u
	return s
}

func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, r.Method+" "+r.RequestURI+" "+r.Host)
}

func target(t *testing.T, d *upstream.Draft, u *url.URL, o upstream.Options) *upstream.Target {
	t.Helper()
	to, err := d.Target(u, o)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func send(t *testing.T, to *upstream.Target, path string) (*upstream.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	resp, err := to.Send(ctx, &upstream.Request{Method: "GET", Path: path, Header: message.NewHeader(4)})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp, string(body)
}

func TestPoolsAreHandedOver(t *testing.T) {
	t.Parallel()
	stays, goes := newService(t, false, echo), newService(t, false, echo)
	pools := upstream.NewPools()
	first := pools.Draft()
	kept := target(t, first, stays.url, upstream.Options{})
	send(t, kept, "/")
	send(t, target(t, first, goes.url, upstream.Options{}), "/")
	first.Commit()
	second := pools.Draft()
	if again := target(t, second, stays.url.JoinPath("other"), upstream.Options{}); again != kept {
		t.Error("the next configuration got another pool for the same service")
	}
	if other := target(t, second, stays.url, upstream.Options{SkipVerify: true}); other == kept {
		t.Error("other options share the pool")
	}
	second.Commit()
	send(t, kept, "/")
	if n := stays.opened.Load(); n != 1 {
		t.Errorf("%d connections to a service that stayed, want 1", n)
	}
	for deadline := time.Now().Add(5 * time.Second); goes.closed.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the idle connection to a service that is not used any more stays open")
		}
	}
}

func TestADraftThatIsNotCommittedChangesNothing(t *testing.T) {
	t.Parallel()
	s := newService(t, false, echo)
	pools := upstream.NewPools()
	first := pools.Draft()
	kept := target(t, first, s.url, upstream.Options{})
	first.Commit()
	target(t, pools.Draft(), s.url, upstream.Options{SkipVerify: true})
	if again := target(t, pools.Draft(), s.url, upstream.Options{}); again != kept {
		t.Error("an abandoned draft took the pool away")
	}
}

func TestSendReturnsWhatTheServiceSaid(t *testing.T) {
	t.Parallel()
	s := newService(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" || r.Header.Get("User-Agent") != "" {
			t.Errorf("the service got fields that nobody sent: %v", r.Header)
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Location", "/elsewhere")
		w.Header().Set("Keep-Alive", "timeout=5")
		w.WriteHeader(http.StatusFound)
		_, _ = io.WriteString(w, "not unpacked")
	})
	resp, body := send(t, target(t, upstream.NewPools().Draft(), s.url, upstream.Options{}), "/a")
	if resp.Status != 302 || body != "not unpacked" || resp.Header.Get("Content-Encoding") != "gzip" || resp.Header.Has("Keep-Alive") {
		t.Errorf("%d %q %v", resp.Status, body, resp.Header.Map())
	}
}

func TestSendThroughAProxy(t *testing.T) {
	t.Parallel()
	relay := newService(t, false, echo)
	u := &url.URL{Scheme: "http", Host: "service.test:8088"}
	_, body := send(t, target(t, upstream.NewPools().Draft(), u, upstream.Options{ProxyURL: relay.URL}), "/a%2F?b")
	if want := "GET http://service.test:8088/a%2F?b service.test:8088"; body != want {
		t.Errorf("the proxy got %q, want %q", body, want)
	}
}

func TestSendVerifiesCertificates(t *testing.T) {
	t.Parallel()
	s := newService(t, true, echo)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := target(t, upstream.NewPools().Draft(), s.url, upstream.Options{}).Send(context.Background(),
		&upstream.Request{Method: "GET", Path: "/", Header: message.NewHeader(0)})
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	for _, o := range []upstream.Options{{CAFile: ca}, {SkipVerify: true}} {
		if _, body := send(t, target(t, upstream.NewPools().Draft(), s.url, o), "/x"); body != "GET /x "+s.url.Host {
			t.Errorf("%+v: %q", o, body)
		}
	}
}

func TestTargetRefusesBrokenOptions(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for name, o := range map[string]upstream.Options{
		"no CA file": {CAFile: "/none"}, "empty CA file": {CAFile: empty}, "no key": {CertFile: empty, KeyFile: "/none"},
		"proxy without scheme": {ProxyURL: "proxy:3128"},
	} {
		_, err := upstream.NewPools().Draft().Target(&url.URL{Scheme: "https", Host: "a"}, o)
		got[name] = err != nil
	}
	want := map[string]bool{"no CA file": true, "empty CA file": true, "no key": true, "proxy without scheme": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}
