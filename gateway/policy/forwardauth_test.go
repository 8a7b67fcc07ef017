package policy_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

// judge is a service that decides by the Authorization field.
type judge struct {
	*httptest.Server
	asked atomic.Int32
	last  atomic.Pointer[map[string]string]
}

func newJudge(t *testing.T) *judge {
	t.Helper()
	j := &judge{}
	j.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j.asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		seen := map[string]string{"": r.Method + " " + r.URL.String() + " " + string(body)}
		for name, values := range r.Header {
			seen[name] = strings.Join(values, "|")
		}
		j.last.Store(&seen)
		switch r.Header.Get("Authorization") {
		case "good":
			w.Header().Add("X-User", "alice")
			w.Header().Add("X-User", "al")
			w.Header().Set("X-Other", "not chosen")
			w.WriteHeader(http.StatusNoContent)
		case "silent":
			_, _ = io.WriteString(w, "fine")
		case "login":
			http.Redirect(w, r, "https://login.test/", http.StatusFound)
		case "huge":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
		case "broken":
			w.WriteHeader(http.StatusInternalServerError)
		case "slow":
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		case "cut":
			panic(http.ErrAbortHandler)
		default:
			w.Header().Set("Www-Authenticate", `Bearer realm="shop"`)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Internal", "not chosen")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"who"}`)
		}
	}))
	t.Cleanup(j.Close)
	return j
}

// forwardAuthOf builds the policy with the schema's defaults.
func forwardAuthOf(t *testing.T, j *judge, more map[string]any, memory *policy.Memory) policy.Policy {
	t.Helper()
	action := map[string]any{
		"url": j.URL + "/auth?from=gateway", "requestHeaders": []any{"authorization", "cookie"}, "responseHeaders": []any{"x-user", "X-Role"},
		"clientHeaders": []any{"www-authenticate", "location"}, "timeout": float64(5000), "onError": float64(503),
	}
	maps.Copy(action, more)
	return build(t, "forward-auth", action, &policy.Environment{Memory: memory})
}

func TestForwardAuth(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	for name, tt := range map[string]struct {
		auth string
		more map[string]any
		want result
		user string            // field x-user that the backend gets
		as   map[string]string // fields of the answer
	}{
		"good":                  {auth: "good", user: "alice|al"},
		"good, nothing to copy": {auth: "silent"},
		"refused": {auth: "bad", want: result{Verdict: message.Answered, Status: 401, Body: `{"error":"who"}`, Header: map[string]string{
			"Www-Authenticate": `Bearer realm="shop"`, "Content-Type": "application/json", "Content-Length": "15",
		}}},
		"redirect":                    {auth: "login", want: result{Verdict: message.Answered, Status: 302, Header: map[string]string{"Location": "https://login.test/"}}},
		"huge":                        {auth: "huge", want: result{Verdict: message.Answered, Status: 403, Body: "Forbidden"}},
		"500":                         {auth: "broken", want: result{Verdict: message.Answered, Status: 503, Body: "Service Unavailable"}},
		"500 as 401":                  {auth: "broken", more: map[string]any{"onError": float64(401)}, want: result{Verdict: message.Answered, Status: 401, Body: "Unauthorized"}},
		"slow":                        {auth: "slow", more: map[string]any{"timeout": float64(20)}, want: result{Verdict: message.Answered, Status: 503, Body: "Service Unavailable"}},
		"cut":                         {auth: "cut", want: result{Verdict: message.Answered, Status: 503, Body: "Service Unavailable"}},
		"nobody there":                {auth: "good", more: map[string]any{"url": "http://127.0.0.1:1"}, want: result{Verdict: message.Answered, Status: 503, Body: "Service Unavailable"}},
		"refused, passThrough":        {auth: "bad", more: map[string]any{"passThrough": true}, as: map[string]string{"Eg-Consumer-Id": "anonymous"}},
		"500, passThrough":            {auth: "broken", more: map[string]any{"passThrough": true}, want: result{Verdict: message.Answered, Status: 503, Body: "Service Unavailable"}},
		"500 as 401, but passThrough": {auth: "broken", more: map[string]any{"passThrough": true, "onError": float64(401)}, want: result{Verdict: message.Answered, Status: 401, Body: "Unauthorized"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := forwardAuthOf(t, j, tt.more, nil)
			x, sink := exchange("POST", "/orders/1?a=b", map[string]string{"Authorization": tt.auth, "X-User": "mallory", "X_role": "admin", "X-Role": "admin"})
			got := apply(t, p, x, sink)
			if got.Verdict != tt.want.Verdict || got.Status != tt.want.Status || !strings.Contains(got.Body, tt.want.Body) || len(got.Body) > 64<<10 {
				t.Errorf("got %v %d %.80q, want %+v", got.Verdict, got.Status, got.Body, tt.want)
			}
			for field, value := range tt.want.Header {
				if got.Header[field] != value {
					t.Errorf("%s: %q, want %q", field, got.Header[field], value)
				}
			}
			if got.Header["X-Internal"] != "" || got.Header["Eg-Consumer-Id"] != tt.as["Eg-Consumer-Id"] {
				t.Errorf("answer %v", got.Header)
			}
			user := strings.Join(x.Request.Header.Values("X-User"), "|")
			if user != tt.user || x.Request.Header.Has("X-Role") || x.Request.Header.Has("X_role") || x.Request.Header.Has("X-Other") {
				t.Errorf("the backend gets %v", x.Request.Header.Map())
			}
			if (x.Request.Claims != nil) != (got.Verdict == message.Continue && tt.as == nil) {
				t.Errorf("user %v", x.Request.Claims)
			}
		})
	}
}

// TestForwardAuthQuestion: the service learns what the request is, and what the client says about that does not count.
func TestForwardAuthQuestion(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	for method, want := range map[string]string{"GET": "GET", "request": "POST"} {
		p := forwardAuthOf(t, j, map[string]any{"method": method, "requestHeaders": []any{"authorization", "x-forwarded-uri"}}, nil)
		x, sink := exchange("POST", "/orders/1?a=b", map[string]string{
			"Authorization": "good", "Cookie": "secret", "X-Forwarded-Uri": "/public", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Method": "GET",
		})
		x.Request.Remote = netip.MustParseAddrPort("192.0.2.9:5")
		x.Request.Body, x.Request.ContentLength = strings.NewReader("body"), 4
		apply(t, p, x, sink)
		seen := *j.last.Load()
		if want == "POST" {
			delete(seen, "Content-Length")
		}
		if d := cmp.Diff(map[string]string{
			"": want + " /auth?from=gateway ", "Authorization": "good", "X-Forwarded-Uri": "/orders/1?a=b", "X-Forwarded-For": "192.0.2.9",
			"X-Forwarded-Method": "POST", "X-Forwarded-Host": "front.test", "X-Forwarded-Proto": "http",
		}, seen); d != "" {
			t.Errorf("%s: %s", method, d)
		}
		if body, _ := io.ReadAll(x.Request.Body); string(body) != "body" {
			t.Errorf("the body is gone: %q", body)
		}
	}
}

func TestForwardAuthService(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	u, err := url.Parse(j.URL + "/check")
	if err != nil {
		t.Fatal(err)
	}
	env := &policy.Environment{Services: map[string]config.ServiceEndpoint{"auth": {Name: "auth", URLs: []*url.URL{u}}}}
	p := build(t, "forward-auth", map[string]any{"serviceEndpoint": "auth", "requestHeaders": []any{"authorization"}}, env)
	x, sink := exchange("GET", "/", map[string]string{"Authorization": "good"})
	x.Request.Consumer = &consumer.Consumer{ID: "u1"}
	apply(t, p, x, sink)
	if (*j.last.Load())[""] != "GET /check " || x.Request.Consumer == nil || x.Request.Claims != nil {
		t.Errorf("asked %v, consumer %v", *j.last.Load(), x.Request.Consumer)
	}
}

// TestForwardAuthRemembers: good answers only, only for the same question, or the same values of cacheKey.
func TestForwardAuthRemembers(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	memory := policy.NewMemory()
	t.Cleanup(memory.Close)
	ttl := map[string]any{"cacheTtl": float64(60)}
	keyed := map[string]any{"cacheTtl": float64(60), "cacheKey": []any{"authorization"}}
	for _, tt := range []struct {
		more           map[string]any
		url, auth, add string
		want           int32 // questions of two requests
	}{
		{nil, "/", "good", "", 2},
		{ttl, "/", "good", "", 1},
		{ttl, "/", "good", "", 0},
		{ttl, "/other", "good", "", 1},
		{ttl, "/", "good", "another cookie", 1},
		{ttl, "/", "silent", "", 1},
		{ttl, "/", "bad", "", 2},
		{keyed, "/", "good", "", 1},
		{keyed, "/other", "good", "another cookie", 0},
		{keyed, "/", "silent", "", 1},
		{keyed, "/", "", "", 2},
		{map[string]any{"cacheTtl": float64(60), "cacheKey": []any{"authorization"}, "responseHeaders": []any{"x-other"}}, "/", "good", "", 1},
	} {
		before := j.asked.Load()
		for range 2 {
			x, sink := exchange("GET", tt.url, map[string]string{"X-User": "mallory"})
			if tt.auth != "" {
				x.Request.Header.Set("Authorization", tt.auth)
			}
			if tt.add != "" {
				x.Request.Header.Set("Cookie", tt.add)
			}
			apply(t, forwardAuthOf(t, j, tt.more, memory), x, sink)
			user := x.Request.Header.Get("X-User")
			if chosen := tt.more["responseHeaders"] == nil; chosen && user != map[bool]string{true: "alice", false: ""}[tt.auth == "good"] {
				t.Errorf("%+v: user %q", tt, user)
			}
		}
		if got := j.asked.Load() - before; got != tt.want {
			t.Errorf("%+v: asked %d times", tt, got)
		}
	}
}

func TestForwardAuthProblems(t *testing.T) {
	t.Parallel()
	for _, action := range []map[string]any{
		{"url": "/auth"},
		{"url": "ftp://a.test"},
		{"serviceEndpoint": "unknown"},
		{"url": "http://a.test", "responseHeaders": []any{"content-length"}},
		{"url": "http://a.test", "clientHeaders": []any{"transfer-encoding"}},
		{"url": "http://a.test", "requestHeaders": []any{"a b"}},
	} {
		if p, problems := policy.New(stepOf("forward-auth", action), &policy.Environment{}); p != nil || !problems.HasErrors() {
			t.Errorf("%v: %v", action, problems)
		}
	}
}
