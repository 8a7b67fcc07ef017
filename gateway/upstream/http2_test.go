package upstream_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream"
)

// TestHTTP2 speaks with a service as gRPC does: HTTP/2, TE: trailers, trailers behind the body.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = io.Copy(w, r.Body)
		_, _ = io.WriteString(w, " "+r.Proto+" "+r.Header.Get("Te"))
		w.Header().Set("Grpc-Status", "0")
	})
	for _, scheme := range []string{"http", "https"} {
		s := httptest.NewUnstartedServer(handler)
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Config.Protocols.SetHTTP2(true)
		s.EnableHTTP2 = true
		if scheme == "https" {
			s.StartTLS()
		} else {
			s.Start()
		}
		t.Cleanup(s.Close)
		u, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		to := target(t, upstream.NewPools().Draft(), u, upstream.Options{SkipVerify: true, HTTP2: true})
		h := message.NewHeader(1)
		h.Set("TE", "trailers")
		resp, err := to.Send(context.Background(), &upstream.Request{
			Method: "POST", Path: "/pkg.Service/Method", Header: h, Body: strings.NewReader("ping"), ContentLength: 4,
		})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != "ping HTTP/2.0 trailers" || resp.Trailer().Get("Grpc-Status") != "0" {
			t.Errorf("%s: %q, trailer %v, %v", scheme, body, resp.Trailer().Map(), err)
		}
		if h.Get("TE") != "trailers" || h.Len() != 1 { // the request may be sent again while this one is still being written
			t.Errorf("%s: sending changed the fields to %v", scheme, h.Map())
		}
	}
}

// TestDial connects to another address than the URL's, with the URL's Host and server name.
func TestDial(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		s := newService(t, secure, func(w http.ResponseWriter, r *http.Request) {
			name := ""
			if r.TLS != nil {
				name = r.TLS.ServerName
			}
			_, _ = io.WriteString(w, r.Host+" "+name)
		})
		u := &url.URL{Scheme: s.url.Scheme, Host: "service.test:99"}
		to := target(t, upstream.NewPools().Draft(), u, upstream.Options{SkipVerify: true}).Dial(s.url.Host)
		_, body := send(t, to, "/")
		want := "service.test:99 "
		if secure {
			want += "service.test"
		}
		if body != want || to.Address() != s.url.Host || to.Open() != 1 {
			t.Errorf("%q, want %q; %d open", body, want, to.Open())
		}
		to.Close()
		if to.Open() != 0 {
			t.Error("a closed target keeps its connections")
		}
	}
}

// TestErrorsSayHowFarARequestCame holds what retries build on.
func TestErrorsSayHowFarARequestCame(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	u := &url.URL{Scheme: "http", Host: l.Addr().String()}
	for _, o := range []upstream.Options{{}, {HTTP2: true}} {
		_, err := target(t, upstream.NewPools().Draft(), u, o).Send(context.Background(),
			&upstream.Request{Method: "POST", Path: "/", Header: message.NewHeader(0)})
		if !upstream.Unsent(err) || !upstream.Unanswered(err) || !strings.Contains(err.Error(), "ask http://") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// ending is a body that ends its request's context before it says why it cannot be read, as net/http's does.
type ending struct{ end context.CancelFunc }

func (b ending) Read([]byte) (int, error) {
	b.end()
	time.Sleep(100 * time.Millisecond) // so that the client sees the context first
	return 0, io.ErrNoProgress
}

// TestBodyThatEndsItsContext holds that the body's error is the request's with either client, so that it can be
// answered for.
func TestBodyThatEndsItsContext(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetHTTP1(true)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
		t.Cleanup(s.Close)
		u, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		_, err = target(t, upstream.NewPools().Draft(), u, upstream.Options{HTTP2: http2}).Send(ctx, &upstream.Request{
			Method: "PUT", Path: "/", Host: u.Host, Header: message.NewHeader(0),
			Body: io.MultiReader(strings.NewReader("part"), ending{cancel}), ContentLength: 99,
		})
		if !errors.Is(err, upstream.ErrBody) || !errors.Is(err, io.ErrNoProgress) || upstream.Unanswered(err) {
			t.Errorf("HTTP/2 %v: %v, want the body's error", http2, err)
		}
	}
}
