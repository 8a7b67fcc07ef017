package policy_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/policy"
)

// idp is an authorization server that answers by the token.
type idp struct {
	*httptest.Server
	asked atomic.Int32
	last  atomic.Pointer[string]
}

func newTestIDP(t *testing.T, answers map[string]string) *idp {
	t.Helper()
	i := &idp{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		seen := strings.Join([]string{r.Method, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}, "|")
		i.last.Store(&seen)
		token, _, _ := strings.Cut(strings.TrimPrefix(string(body), "token="), "&")
		switch token {
		case "redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case "error":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"active":true}`)
		case "text":
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, `{"active":true}`)
		case "huge":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"active":true,"x":"`+strings.Repeat("x", 300<<10)+`"}`)
		case "slow":
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		default:
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_, _ = io.WriteString(w, answers[token])
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func TestIntrospect(t *testing.T) {
	t.Parallel()
	server := newTestIDP(t, map[string]string{
		"good":      `{"active":true,"scope":"read write","sub":"u1","id":"u9"}`,
		"other":     `{"active":true,"scopes":"read"}`,
		"inactive":  `{"active":false,"scope":"read"}`,
		"almost":    `{"active":"true"}`,
		"list":      `[{"active":true}]`,
		"scopelist": `{"active":true,"scope":["read"]}`,
		"broken":    `{"active":true`,
		"odd%2Bone": `{"active":true}`,
	})
	good := map[string]any{"active": true, "scope": "read write", "sub": "u1", "id": "u9"}
	active := map[string]any{"active": true}
	tests := map[string]struct {
		auth   string
		url    string
		form   any
		pass   bool
		scopes []string
		want   outcome
	}{
		"active":                  {auth: "Bearer good", want: outcome{Claims: good}},
		"scheme in small letters": {auth: "bearer good", want: outcome{Claims: good}},
		"query":                   {url: "/?access_token=good", want: outcome{Claims: good}},
		"form":                    {form: map[string]any{"access_token": "good"}, want: outcome{Claims: good}},
		"odd token":               {auth: "Bearer odd+one", want: outcome{Claims: active}},
		"scopes suffice":          {auth: "Bearer good", scopes: []string{"write", "read"}, want: outcome{Claims: good}},
		"scopes do not":           {auth: "Bearer good", scopes: []string{"read", "admin"}, want: outcome{Status: 401}},
		"scopes of the other key": {auth: "Bearer other", scopes: []string{"read"}, want: outcome{Claims: map[string]any{"active": true, "scopes": "read"}}},
		"header and query":        {auth: "Bearer good", url: "/?access_token=good", want: outcome{Status: 401}},
		"query twice":             {url: "/?access_token=good&access_token=good", want: outcome{Status: 401}},
		"header and query twice":  {auth: "Bearer good", url: "/?access_token=a&access_token=b", want: outcome{Status: 401}},
		"a list of scopes":        {auth: "Bearer scopelist", scopes: []string{"read"}, want: outcome{Claims: map[string]any{"active": true, "scope": []any{"read"}}}},
		"form and query":          {form: map[string]any{"access_token": "good"}, url: "/?access_token=good", want: outcome{Status: 401}},
		"another scheme":          {auth: "Basic good", want: outcome{Status: 401}},
		"three words":             {auth: "Bearer good x", url: "/?access_token=good", want: outcome{Status: 401}},
		"one word":                {auth: "Bearer", want: outcome{Status: 401}},
		"nothing":                 {want: outcome{Status: 401}},
		"inactive":                {auth: "Bearer inactive", want: outcome{Status: 401}},
		"active as text":          {auth: "Bearer almost", want: outcome{Status: 401}},
		"a list":                  {auth: "Bearer list", want: outcome{Status: 401}},
		"broken":                  {auth: "Bearer broken", want: outcome{Status: 401}},
		"redirect":                {auth: "Bearer redirect", want: outcome{Status: 401}},
		"error":                   {auth: "Bearer error", want: outcome{Status: 401}},
		"not JSON":                {auth: "Bearer text", want: outcome{Status: 401}},
		"huge":                    {auth: "Bearer huge", want: outcome{Status: 401}},
		"slow":                    {auth: "Bearer slow", want: outcome{Status: 401}},
		"passThrough":             {auth: "Bearer inactive", pass: true, want: outcome{As: "anonymous"}},
		"passThrough, few scopes": {auth: "Bearer good", pass: true, scopes: []string{"admin"}, want: outcome{As: "anonymous"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			action := map[string]any{"endpoint": server.URL + "/introspect", "passThrough": tt.pass, "timeout": float64(5000), "ttl": float64(60)}
			if name == "slow" {
				action["timeout"] = float64(20)
			}
			p := build(t, "oauth2-introspect", action, &policy.Environment{})
			if tt.url == "" {
				tt.url = "/"
			}
			x, sink := exchange("GET", tt.url, map[string]string{"Authorization": tt.auth})
			x.Endpoint.Scopes, x.Request.Parsed = tt.scopes, tt.form
			if d := cmp.Diff(tt.want, authenticate(t, p, x, sink)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestIntrospectAsks(t *testing.T) {
	t.Parallel()
	server := newTestIDP(t, map[string]string{"a%26b": `{"active":true}`})
	p := build(t, "oauth2-introspect", map[string]any{
		"endpoint": server.URL, "authorization_value": "Basic abc", "timeout": float64(5000), "ttl": float64(0),
	}, &policy.Environment{})
	x, sink := exchange("GET", "/", map[string]string{"Authorization": "Bearer a&b"})
	authenticate(t, p, x, sink)
	want := "POST|Basic abc|application/x-www-form-urlencoded|token=a%26b&token_type_hint=access_token"
	if got := *server.last.Load(); got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}

// TestIntrospectRemembers: for ttl, not beyond exp, not for another server, authorization or token, and
// never that a token is not active.
func TestIntrospectRemembers(t *testing.T) {
	t.Parallel()
	exp := func(seconds int64) string {
		text, _ := json.Marshal(map[string]any{"active": true, "exp": time.Now().Unix() + seconds})
		return string(text)
	}
	server := newTestIDP(t, map[string]string{
		"good": `{"active":true}`, "later": exp(3600), "past": exp(-10), "odd": `{"active":true,"exp":"soon"}`, "inactive": `{"active":false}`,
	})
	memory := policy.NewMemory()
	asks := func(token, authorization string, ttl float64) int32 {
		before := server.asked.Load()
		for range 2 { // a reload in between does not matter
			p := build(t, "oauth2-introspect", map[string]any{
				"endpoint": server.URL, "authorization_value": authorization, "timeout": float64(5000), "ttl": ttl,
			}, &policy.Environment{Memory: memory})
			x, sink := exchange("GET", "/", map[string]string{"Authorization": "Bearer " + token})
			authenticate(t, p, x, sink)
		}
		return server.asked.Load() - before
	}
	for _, tt := range []struct {
		token, authorization string
		ttl                  float64
		want                 int32
	}{
		{"good", "a", 60, 1},
		{"good", "a", 60, 0},
		{"good", "b", 60, 1},
		{"good", "c", 0, 2},
		{"later", "a", 60, 1},
		{"past", "a", 60, 2},
		{"odd", "a", 60, 2},
		{"inactive", "a", 60, 2},
	} {
		if got := asks(tt.token, tt.authorization, tt.ttl); got != tt.want {
			t.Errorf("%+v: asked %d times", tt, got)
		}
	}
}

func TestIntrospectAsksOnce(t *testing.T) {
	t.Parallel()
	server := newTestIDP(t, map[string]string{"good": `{"active":true}`})
	p := build(t, "oauth2-introspect", map[string]any{"endpoint": server.URL, "timeout": float64(5000), "ttl": float64(60)}, &policy.Environment{})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			x, sink := exchange("GET", "/", map[string]string{"Authorization": "Bearer good"})
			if got := authenticate(t, p, x, sink); got.Status != 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
	group.Wait()
	if n := server.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestIntrospectProblems(t *testing.T) {
	t.Parallel()
	for _, action := range []map[string]any{
		{"endpoint": "ldap://a.test"},
		{"endpoint": "/introspect"},
		{"endpoint": "http://a.test", "authorization_value": "a\r\nb"},
	} {
		if p, problems := policy.New(stepOf("oauth2-introspect", action), &policy.Environment{}); p != nil || !problems.HasErrors() {
			t.Errorf("%v: %v", action, problems)
		}
	}
}
