package jwks_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/jwt/jwks"
)

// Two keys; the second one in a set of two.
const (
	oneKey  = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	twoKeys = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},` +
		`{"kty":"OKP","crv":"Ed25519","kid":"b","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
)

// provider answers with what it is told to.
type provider struct {
	*httptest.Server
	asked  atomic.Int32
	answer atomic.Pointer[func(w http.ResponseWriter, r *http.Request)]
}

func newProvider(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *provider {
	t.Helper()
	p := &provider{}
	p.answer.Store(&answer)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		(*p.answer.Load())(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) says(answer func(w http.ResponseWriter, r *http.Request)) { p.answer.Store(&answer) }

func text(s string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
}

func status(code int) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// commit runs one source and returns it, after its first fetch.
func commit(t *testing.T, all *jwks.Sources, o jwks.Options) *jwks.Source {
	t.Helper()
	if o.Refresh == 0 {
		o.Refresh = time.Hour
	}
	d := all.Draft()
	s := d.Source(o)
	if d.Source(o) != s {
		t.Error("equal options have two sources")
	}
	d.Commit(t.Context(), slog.New(slog.DiscardHandler))
	return s
}

func newSources(t *testing.T) *jwks.Sources {
	t.Helper()
	all := jwks.NewSources()
	t.Cleanup(all.Close)
	return all
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestCommitFetches(t *testing.T) {
	t.Parallel()
	p := newProvider(t, text(oneKey))
	all := newSources(t)
	d := all.Draft()
	s := d.Source(jwks.Options{URI: p.URL, Refresh: time.Hour})
	if p.asked.Load() != 0 || s.Set() != nil {
		t.Error("a draft asks")
	}
	d.Commit(t.Context(), slog.New(slog.DiscardHandler))
	if s.Set() == nil || s.Set().Len() != 1 {
		t.Fatal("no set after Commit")
	}
	if again := commit(t, all, s.Options); again != s || p.asked.Load() != 1 {
		t.Errorf("a reload asks again: %d times", p.asked.Load())
	}
}

// TestNewer: a key that is not known makes the set be fetched once, however many ask, and not again soon.
func TestNewer(t *testing.T) {
	t.Parallel()
	p := newProvider(t, text(oneKey))
	s := commit(t, newSources(t), jwks.Options{URI: p.URL})
	before := s.Set()
	p.says(text(twoKeys))
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if got := s.Newer(t.Context(), before); got == before || got.Len() != 2 {
				t.Error("no newer set")
			}
		})
	}
	group.Wait()
	for range 50 {
		s.Newer(t.Context(), s.Set())
	}
	if n := p.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// TestRefresh: the set follows the provider; one that did not change stays the same.
func TestRefresh(t *testing.T) {
	t.Parallel()
	p := newProvider(t, text(oneKey))
	s := commit(t, newSources(t), jwks.Options{URI: p.URL, Refresh: 10 * time.Millisecond})
	before := s.Set()
	eventually(t, "more fetches", func() bool { return p.asked.Load() > 3 })
	if s.Set() != before {
		t.Error("the same text is another set")
	}
	p.says(text(twoKeys))
	eventually(t, "the second set", func() bool { return s.Set().Len() == 2 })
	p.says(text(oneKey))
	eventually(t, "the first set again", func() bool { return s.Set().Len() == 1 })
}

// TestBadAnswers: what is no set takes nothing away, and a provider that was down at start is found later.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]func(w http.ResponseWriter, r *http.Request){
		"error":     status(http.StatusInternalServerError),
		"not found": status(http.StatusNotFound),
		"empty":     text(`{"keys":[]}`),
		"HTML":      text(`<html>login</html>`),
		"huge":      text(`{"keys":[` + strings.Repeat(" ", 1<<20) + `]}`),
		"redirect":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, oneKey)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, bad)
			s := commit(t, newSources(t), jwks.Options{URI: p.URL, Refresh: 10 * time.Millisecond})
			if s.Set() != nil {
				t.Fatal("a set of a bad answer")
			}
			p.says(text(oneKey))
			eventually(t, "a set", func() bool { return s.Set() != nil })
			p.says(bad)
			n := p.asked.Load()
			eventually(t, "a bad answer", func() bool { return p.asked.Load() > n+1 })
			if s.Set() == nil {
				t.Error("a bad answer takes the set away")
			}
		})
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	var doc string
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/realms/a/.well-known/openid-configuration":
			_, _ = io.WriteString(w, doc)
		case "/keys":
			_, _ = io.WriteString(w, oneKey)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	here := p.URL + "/realms/a"
	for name, tt := range map[string]struct {
		doc, issuer string
		log         string // empty: there is a set
	}{
		"whole":            {doc: fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, here, p.URL+"/keys"), issuer: here},
		"issuer elsewhere": {doc: fmt.Sprintf(`{"issuer":"https://login.test","jwks_uri":%q}`, p.URL+"/keys"), issuer: "https://login.test"},
		"another issuer":   {doc: fmt.Sprintf(`{"issuer":"https://evil.test","jwks_uri":%q}`, p.URL+"/keys"), issuer: here, log: "evil.test"},
		"no URI":           {doc: fmt.Sprintf(`{"issuer":%q}`, here), issuer: here, log: "jwks_uri"},
		"a file":           {doc: fmt.Sprintf(`{"issuer":%q,"jwks_uri":"file:///etc/passwd"}`, here), issuer: here, log: "jwks_uri"},
		"no JSON":          {doc: `<html>`, issuer: here, log: "discovery document"},
	} {
		doc = tt.doc
		var log bytes.Buffer
		all := newSources(t)
		d := all.Draft()
		s := d.Source(jwks.Options{Provider: here, Issuer: tt.issuer, Refresh: time.Hour})
		d.Commit(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
		all.Close()
		if (s.Set() != nil) != (tt.log == "") || !strings.Contains(log.String(), tt.log) {
			t.Errorf("%s: set %v, log %s", name, s.Set() != nil, &log)
		}
	}
}

// TestEnds: a source that no configuration uses any more asks nobody, and one that comes back does.
func TestEnds(t *testing.T) {
	t.Parallel()
	p := newProvider(t, text(oneKey))
	all := newSources(t)
	o := jwks.Options{URI: p.URL, Refresh: 5 * time.Millisecond}
	s := commit(t, all, o)
	late := all.Draft()
	late.Source(o)
	all.Draft().Commit(t.Context(), slog.New(slog.DiscardHandler))
	s.Newer(canceled(), s.Set())
	time.Sleep(20 * time.Millisecond) // what was under way may end
	n := p.asked.Load()
	time.Sleep(50 * time.Millisecond)
	if p.asked.Load() != n {
		t.Error("it still asks")
	}
	late.Commit(t.Context(), slog.New(slog.DiscardHandler))
	eventually(t, "more fetches", func() bool { return p.asked.Load() > n })
	all.Close()
	late.Commit(t.Context(), slog.New(slog.DiscardHandler)) // after the end: nothing
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
