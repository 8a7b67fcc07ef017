package policy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

// seen is what a backend got.
type seen struct {
	Method, Target, Host string
	Header               map[string]string
}

// backend answers with the status in ?status= and notes the last request.
func backend(t *testing.T) (*url.URL, *seen) {
	t.Helper()
	last := &seen{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*last = seen{Method: r.Method, Target: r.RequestURI, Host: r.Host, Header: map[string]string{}}
		for name := range r.Header {
			if name != policy.RequestHeader {
				last.Header[name] = r.Header.Get(name)
			}
		}
		w.Header().Set("Set-Cookie", "s=1; Domain=b.test; Path=/in")
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
		_, _ = io.WriteString(w, "ok "+r.Method)
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u, last
}

func proxy(t *testing.T, u *url.URL, action map[string]any) policy.Policy {
	t.Helper()
	action["serviceEndpoint"] = "s"
	return build(t, "proxy", action, &policy.Environment{
		Services: map[string]config.ServiceEndpoint{"s": {Name: "s", URLs: []*url.URL{u}}},
	})
}

func TestProxyPaths(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name               string
		base, pattern, url string
		action             map[string]any
		want               string
	}{
		{name: "as it is", url: "/a//b?x=%20//", want: "/a/b?x=%20//"},
		{name: "behind the service's path", base: "/base/", url: "/a?x", want: "/base/a?x"},
		{name: "root behind the service's path", base: "/base", url: "/", want: "/base/"},
		{name: "without the service's path", base: "/base", url: "/a", action: map[string]any{"prependPath": false}, want: "/a"},
		{name: "without the request's path", base: "/base", url: "/a?x", action: map[string]any{"ignorePath": true}, want: "/base"},
		{name: "strip up to a star", pattern: "/svc/*", url: "/svc/a/b?x=1", action: map[string]any{"stripPath": true}, want: "/a/b?x=1"},
		{name: "strip all before a star", pattern: "/svc/*", url: "/svc/", action: map[string]any{"stripPath": true}, want: "/"},
		{name: "strip leaves the parameter", pattern: "/svc/:id/x", url: "/svc/12/x", action: map[string]any{"stripPath": true}, want: "/12/x"},
		{name: "strip of an optional parameter", pattern: "/svc/:id?", url: "/svc", action: map[string]any{"stripPath": true}, want: "/"},
		{name: "strip without wildcard", pattern: "/svc", url: "/svc?x=1", action: map[string]any{"stripPath": true}, want: "/?x=1"},
		{name: "strip of everything", pattern: "*", url: "/svc/a", action: map[string]any{"stripPath": true}, want: "/svc/a"},
		{name: "strip and prepend", base: "/base", pattern: "/svc/*", url: "/svc/a", action: map[string]any{"stripPath": true}, want: "/base/a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u, last := backend(t)
			if tt.action == nil {
				tt.action = map[string]any{}
			}
			x, sink := exchange("GET", tt.url, nil)
			x.Endpoint.Pattern = tt.pattern
			if got := apply(t, proxy(t, u.JoinPath(tt.base), tt.action), x, sink); got.Body != "ok GET" {
				t.Fatalf("%+v", got)
			}
			if last.Target != tt.want {
				t.Errorf("the backend got %q, want %q", last.Target, tt.want)
			}
		})
	}
}

func TestProxyHeaders(t *testing.T) {
	t.Parallel()
	u, last := backend(t)
	p := proxy(t, u, map[string]any{
		"xfwd": true, "changeOrigin": false, "auth": "user:pass", "proxyOptions": map[string]any{"headers": map[string]any{"x-own": "1"}},
		"cookieDomainRewrite": "front.test", "cookiePathRewrite": map[string]any{"/in": ""},
	})
	x, sink := exchange("GET", "/", map[string]string{"X-Forwarded-For": "9.9.9.9", "X-Own": "client", "User-Agent": "me"})
	x.Request.Peer = netip.MustParseAddrPort("10.0.0.1:1")
	got := apply(t, p, x, sink)
	want := seen{"GET", "/", "front.test", map[string]string{
		"Authorization": "Basic dXNlcjpwYXNz", "X-Own": "1", "User-Agent": "me",
		"X-Forwarded-For": "9.9.9.9,10.0.0.1", "X-Forwarded-Host": "front.test", "X-Forwarded-Port": "80", "X-Forwarded-Proto": "http",
	}}
	if diff := cmp.Diff(want, *last); diff != "" {
		t.Errorf("the backend got (-want +got):\n%s", diff)
	}
	if cookie := got.Header["Set-Cookie"]; cookie != "s=1; Domain=front.test" {
		t.Errorf("cookie %q", cookie)
	}
	if !x.Response.IsFromUpstream() {
		t.Error("the answer does not count as the backend's")
	}
}

func TestProxyFollowsRedirects(t *testing.T) {
	t.Parallel()
	u, last := backend(t)
	p := proxy(t, u, map[string]any{"followRedirects": true})
	x, sink := exchange("POST", "/start?to=%2Fend%3Fa=b", map[string]string{"Content-Type": "text/plain"})
	if got := apply(t, p, x, sink); got.Status != 200 || got.Body != "ok GET" {
		t.Errorf("%+v", got)
	}
	if last.Target != "/end?a=b" || last.Method != "GET" {
		t.Errorf("ended at %+v", last)
	}
	x, sink = exchange("GET", "/start?to=%2Fbody", nil)
	x.Request.Body, x.Request.ContentLength = strings.NewReader("text"), 4
	if got := apply(t, p, x, sink); got.Status != 200 || last.Target != "/body" {
		t.Errorf("a GET with a body: %+v, ended at %+v", got, last)
	}
	strange, other := backend(t)
	x, sink = exchange("GET", "/start?to="+url.QueryEscape(strange.String()+"/x"), map[string]string{"Authorization": "secret", "Cookie": "c"})
	x.Request.Consumer = &consumer.Consumer{ID: "alice"}
	apply(t, p, x, sink)
	if diff := cmp.Diff(seen{"GET", "/x", strange.Host, map[string]string{}}, *other); diff != "" {
		t.Errorf("a stranger got (-want +got):\n%s", diff)
	}
}

func TestProxyRewritesRedirects(t *testing.T) {
	t.Parallel()
	u, _ := backend(t)
	for want, action := range map[string]map[string]any{
		"http://front.test/x":     {"autoRewrite": true},
		"https://other.test:99/x": {"hostRewrite": "other.test:99", "protocolRewrite": "https"},
	} {
		x, sink := exchange("GET", "/?to="+url.QueryEscape(u.String()+"/x"), nil)
		if got := apply(t, proxy(t, u, action), x, sink); got.Header["Location"] != want || got.Status != 302 {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}

func TestProxyTurnsOverUrls(t *testing.T) {
	t.Parallel()
	one, sawOne := backend(t)
	two, sawTwo := backend(t)
	p := build(t, "proxy", map[string]any{"serviceEndpoint": "s"}, &policy.Environment{
		Services: map[string]config.ServiceEndpoint{"s": {Name: "s", URLs: []*url.URL{one, two}}},
	})
	var order string
	for range 4 {
		sawOne.Host, sawTwo.Host = "", ""
		x, sink := exchange("GET", "/", nil)
		apply(t, p, x, sink)
		if sawOne.Host != "" {
			order += "1"
		} else if sawTwo.Host != "" {
			order += "2"
		}
	}
	if order != "1212" {
		t.Errorf("the urls had their turn as %s, want 1212", order)
	}
}

func TestProxyWithoutService(t *testing.T) {
	t.Parallel()
	x, sink := exchange("GET", "/", nil)
	got := apply(t, build(t, "proxy", map[string]any{}, &policy.Environment{}), x, sink)
	if got.Status != 502 || got.Body != "Bad Gateway" || got.Verdict != message.Answered {
		t.Errorf("%+v", got)
	}
}
