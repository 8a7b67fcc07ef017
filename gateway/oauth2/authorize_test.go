package oauth2_test

import (
	"maps"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/config"
)

func TestAuthorizeMistakes(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	w.login()
	right := url.Values{"response_type": {"code"}, "client_id": {w.app1.ID}, "redirect_uri": {callback}}
	with := func(name string, values ...string) string {
		q := maps.Clone(right)
		if q[name] = values; values == nil {
			delete(q, name)
		}
		return q.Encode()
	}
	for name, tt := range map[string]struct {
		query  string
		status int
		text   string
	}{
		"right":                    {right.Encode(), 200, "app1"},
		"scope":                    {with("scope", "read"), 200, "<li>read</li>"},
		"scope it lacks":           {with("scope", "read write"), 403, "Unauthorized client"},
		"no response type":         {with("response_type"), 400, "Missing required parameter: response_type"},
		"unknown response type":    {with("response_type", "<b>"), 501, "Unsupported response type: &lt;b&gt;"},
		"two response types":       {with("response_type", "code token"), 501, "Unsupported response type"},
		"no client":                {with("client_id"), 400, "Missing required parameter: client_id"},
		"two clients":              {with("client_id", w.app1.ID, w.app2.ID), 400, "client_id must be a string"},
		"unknown client":           {with("client_id", "zzz"), 403, "Unauthorized client"},
		"a user without redirect":  {with("client_id", w.alice.ID), 403, "Unauthorized client"},
		"no redirect URI":          {with("redirect_uri"), 403, "Unauthorized client"},
		"another redirect URI":     {with("redirect_uri", "http://evil.test/cb"), 403, "Unauthorized client"},
		"redirect URI with more":   {with("redirect_uri", callback+"/../x"), 403, "Unauthorized client"},
		"redirect URI with a user": {with("redirect_uri", "http://cb.test@evil.test/cb"), 403, "Unauthorized client"},
		"redirect URI in capitals": {with("redirect_uri", strings.ToUpper(callback)), 403, "Unauthorized client"},
		"two redirect URIs":        {with("redirect_uri", callback, "http://evil.test"), 400, "redirect_uri must be a string"},
	} {
		a := w.send("GET", "/oauth2/authorize?"+tt.query, "")
		if a.status != tt.status || !strings.Contains(a.body, tt.text) || a.location() != "" {
			t.Errorf("%s: %d %q %s, want %d %s", name, a.status, a.location(), a.body, tt.status, tt.text)
		}
		if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %v", name, a.header)
		}
	}
	if a := newTestWorld(t).send("GET", "/oauth2/authorize?x="+strings.Repeat("y", 5000), ""); a.status != 414 {
		t.Errorf("a target that no cookie holds: %d", a.status)
	}
}

func TestDecision(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kind string
		form func(w *world, id string) string
		want string // of the location
	}{
		"allow": {"code", func(_ *world, id string) string { return form("transaction_id", id) }, `^http://cb\.test/cb\?code=[0-9a-f]{32}&state=st%201%26$`},
		"deny": {
			"code", func(_ *world, id string) string { return form("transaction_id", id, "cancel", "deny") },
			`^http://cb\.test/cb\?error=access_denied&state=st%201%26$`,
		},
		"token": {
			"token", func(_ *world, id string) string { return form("transaction_id", id) },
			`^http://cb\.test/cb#access_token=[0-9a-f]{32}%7C[0-9a-f]{32}&token_type=Bearer&state=st%201%26$`,
		},
		"deny a token": {
			"token", func(_ *world, id string) string { return form("transaction_id", id, "cancel", "1") },
			`^http://cb\.test/cb#error=access_denied&state=st%201%26$`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTestWorld(t)
			w.login()
			body := tt.form(w, w.authorize(tt.kind).header.Get("Transaction_id"))
			w.restart() // another replica
			a := w.send("POST", "/oauth2/authorize/decision", body)
			if a.status != 302 || !regexp.MustCompile(tt.want).MatchString(a.location()) || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d to %s", a.status, a.location())
			}
			if again := w.send("POST", "/oauth2/authorize/decision", body); again.status != 403 {
				t.Errorf("the answer counts twice: %d to %s", again.status, again.location())
			}
		})
	}
}

func TestForgedDecisions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(w *world, id *string) []string // header
		status int
	}{
		"no transaction":      {func(_ *world, id *string) []string { *id = ""; return nil }, 400},
		"unknown transaction": {func(_ *world, id *string) []string { *id = "zzz"; return nil }, 403},
		"changed":             {func(_ *world, id *string) []string { *id = "AAAA" + (*id)[4:]; return nil }, 403},
		"of another session": {func(w *world, id *string) []string {
			mine := w.cookies["egk8s.sid"]
			w.login() // the attacker's, who is alice's neighbour
			*id = w.authorize("code").header.Get("Transaction_id")
			w.cookies["egk8s.sid"] = mine
			return nil
		}, 403},
		"from another site": {func(*world, *string) []string { return []string{"Sec-Fetch-Site", "cross-site"} }, 403},
		"from another page": {func(*world, *string) []string { return []string{"Origin", "http://evil.test"} }, 403},
		"own page":          {func(*world, *string) []string { return []string{"Origin", "http://gw.test"} }, 302},
		"client switched off": {func(w *world, _ *string) []string {
			_, err := w.consumers.SetApplicationActive(w.t.Context(), w.app1.ID, false)
			w.must(err)
			return nil
		}, 403},
		"redirect URI changed": {func(w *world, _ *string) []string {
			_, err := w.consumers.UpdateApplication(w.t.Context(), w.app1.ID, map[string]any{"redirectUri": "http://new.test"})
			w.must(err)
			return nil
		}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTestWorld(t)
			w.login()
			id := w.authorize("code").header.Get("Transaction_id")
			header := tt.change(w, &id)
			a := w.send("POST", "/oauth2/authorize/decision", form("transaction_id", id), header...)
			if a.status != tt.status {
				t.Errorf("%d to %q: %s", a.status, a.location(), a.body)
			}
			if a.status != 302 && a.location() != "" {
				t.Errorf("redirected to %s", a.location())
			}
		})
	}
	w := newTestWorld(t)
	if a := w.send("POST", "/oauth2/authorize/decision", form("transaction_id", "x")); a.location() != "/login" {
		t.Errorf("without a login: %d to %q", a.status, a.location())
	}
	w.login()
	if a := w.send("POST", "/oauth2/authorize/decision", form("transaction_id", "x")); a.status != 403 {
		t.Errorf("without a transaction: %d", a.status)
	}
}

func TestManyTabs(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	w.login()
	var ids []string
	for range 20 {
		a := w.authorize("code")
		if a.status != 200 || len(w.cookie) > 4096 {
			t.Fatalf("%d, a cookie of %d bytes", a.status, len(w.cookie))
		}
		ids = append(ids, a.header.Get("Transaction_id"))
	}
	for i, want := range map[int]int{0: 403, 11: 403, 12: 302, 19: 302} {
		if a := w.send("POST", "/oauth2/authorize/decision", form("transaction_id", ids[i])); a.status != want {
			t.Errorf("tab %d: %d, want %d", i, a.status, want)
		}
	}
}

func TestImplicitGrantWithoutKey(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t, func(w *world) { w.settings.JWT = &config.JWTTokens{Algorithm: "HS256"} })
	w.login()
	a := w.send("POST", "/oauth2/authorize/decision", form("transaction_id", w.authorize("token").header.Get("Transaction_id")))
	if a.status != 302 || !strings.HasPrefix(a.location(), callback+"#error=server_error&") {
		t.Errorf("%d to %q: %s", a.status, a.location(), a.body)
	}
}

func TestExpiredCode(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	code := w.code()
	w.now = w.now.Add(5 * time.Minute)
	if a := w.token("grant_type", "authorization_code", "code", code, "redirect_uri", callback); a.status != 403 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestRedirectURIs(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"http://cb.test":                   `^http://cb\.test/\?code=[0-9a-f]+&state=st%201%26$`,
		"https://cb.test/x?a=b&state=old":  `^https://cb\.test/x\?a=b&code=[0-9a-f]+&state=st%201%26$`,
		"com.example.app:/cb":              `^com\.example\.app:/cb\?code=[0-9a-f]+&state=st%201%26$`,
		"javascript:alert(1)":              "",
		"data:text/html,x":                 "",
		"http://cb.test/;'%22form-action*": `^http://cb\.test/;`,
	} {
		w := newTestWorld(t)
		w.login()
		_, err := w.consumers.UpdateApplication(t.Context(), w.app1.ID, map[string]any{"redirectUri": uri})
		w.must(err)
		page := w.authorize("code", "redirect_uri", uri)
		if want == "" {
			if page.status != 403 {
				t.Errorf("%s: %d", uri, page.status)
			}
			continue
		}
		a := w.send("POST", "/oauth2/authorize/decision", form("transaction_id", page.header.Get("Transaction_id")))
		if !regexp.MustCompile(want).MatchString(a.location()) {
			t.Errorf("%s: to %q", uri, a.location())
		}
		if policy := page.header.Get("Content-Security-Policy"); strings.Count(policy, "form-action") != 1 {
			t.Errorf("%s: %s", uri, policy)
		}
	}
}

// FuzzSealed: no cookie and no transaction that a server did not make opens anything, or makes it panic.
func FuzzSealed(f *testing.F) {
	for _, seed := range []string{"", "AAAA", "egk8s.sid=x", strings.Repeat("A", 200), "eyJpIjoieCJ9"} {
		f.Add(seed)
	}
	shared := newTestWorld(f)
	shared.login()
	shared.authorize("code")
	f.Fuzz(func(t *testing.T, text string) {
		w := *shared
		w.t, w.cookies = t, map[string]string{"egk8s.sid": text}
		if a := w.authorize("code"); a.status != 302 || a.location() != "/login" {
			t.Errorf("%q is a login: %d", text, a.status)
		}
		w.cookies = maps.Clone(shared.cookies)
		if a := w.send("POST", "/oauth2/authorize/decision", form("transaction_id", text)); a.status != 403 && a.status != 400 {
			t.Errorf("%q is a transaction: %d to %s", text, a.status, a.location())
		}
	})
}
