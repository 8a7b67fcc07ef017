package policy_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

// service makes a proxy step of a service endpoint with these keys and URLs.
func service(t *testing.T, raw map[string]any, urls ...string) policy.Policy {
	t.Helper()
	endpoint := config.ServiceEndpoint{Name: "s", Raw: raw}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		endpoint.URLs = append(endpoint.URLs, u)
	}
	return build(t, "proxy", map[string]any{"serviceEndpoint": "s"}, &policy.Environment{Services: map[string]config.ServiceEndpoint{"s": endpoint}})
}

func TestProxyAnswersForAnOpenCircuit(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-answer
	}))
	defer backend.Close()
	p := service(t, map[string]any{"circuitBreaker": map[string]any{"maxRequests": 1.0}}, backend.URL)
	first := make(chan result)
	go func() {
		x, sink := exchange("GET", "/", nil)
		first <- apply(t, p, x, sink)
	}()
	<-asked
	x, sink := exchange("GET", "/", nil)
	got := apply(t, p, x, sink)
	if got.Verdict != message.Answered || got.Status != 503 || got.Header["Retry-After"] != "1" || got.Body != "Service unavailable." {
		t.Errorf("%+v, want 503 and when to come again", got)
	}
	close(answer)
	if got := <-first; got.Status != 200 {
		t.Errorf("the request in flight: %+v", got)
	}
}

// TestProxyMovesOnWithHostAndPath holds that a request that moves on is one to the other URL, with what
// policies added once.
func TestProxyMovesOnWithHostAndPath(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // nobody listens there
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, strings.Join([]string{r.Method, r.Host, r.RequestURI, string(body), r.Header.Get("X-A")}, " "))
	}))
	defer backend.Close()
	p := service(t, nil, "http://"+l.Addr().String()+"/dead", backend.URL+"/live")
	x, sink := exchange("POST", "/x", map[string]string{"X-A": "1"})
	x.Request.Body, x.Request.ContentLength = io.NopCloser(strings.NewReader("body")), 4
	got := apply(t, p, x, sink)
	host := strings.TrimPrefix(backend.URL, "http://")
	if want := "POST " + host + " /live/x body 1"; got.Status != 200 || got.Body != want {
		t.Errorf("%d %q, want %q", got.Status, got.Body, want)
	}
	if x.Upstream != host {
		t.Errorf("the log would name %q, want %q", x.Upstream, host)
	}
}
