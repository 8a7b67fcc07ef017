package oauth2_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
)

// formField finds the value of a hidden field.
func formField(t *testing.T, page *answer, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page.body)
	if found == nil {
		t.Fatalf("no field %s in %s", name, page.body)
	}
	return html.UnescapeString(found[1])
}

func TestLoginByBrowser(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	w.followsBrowser = true
	target := "/oauth2/authorize?" + form("response_type", "code", "client_id", w.app1.ID, "redirect_uri", callback)
	if a := w.send("GET", target, ""); a.status != 302 || a.location() != "/login" || !strings.Contains(a.body, "<p>Found. Redirecting to /login</p>") {
		t.Fatalf("%d to %s: %s", a.status, a.location(), a.body)
	}
	page := w.send("GET", "/login", "")
	for name, want := range map[string]string{
		"Content-Security-Policy": "frame-ancestors 'none'; form-action 'self'", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := page.header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	token := formField(t, page, "csrf_token")
	wrong := w.send("POST", "/login", form("username", "alice", "password", "no", "csrf_token", token))
	if wrong.status != 302 || wrong.location() != "/login" {
		t.Errorf("a wrong password: %d to %s", wrong.status, wrong.location())
	}
	if again := w.send("GET", "/login", ""); !strings.Contains(again.body, "do not match") {
		t.Error("the page does not say what was wrong")
	}
	if third := w.send("GET", "/login", ""); strings.Contains(third.body, "do not match") {
		t.Error("the page says it for ever")
	}
	before := w.cookies["egk8s.sid"]
	a := w.send("POST", "/login", form("username", "alice", "password", "s3cret", "csrf_token", token))
	if a.status != 302 || a.location() != target {
		t.Fatalf("%d to %s, want %s", a.status, a.location(), target)
	}
	if w.cookies["egk8s.sid"] == before || !strings.HasSuffix(w.cookie, "; Path=/; HttpOnly; SameSite=Lax") {
		t.Errorf("cookie %s", w.cookie)
	}
	consent := w.send("GET", target, "")
	if consent.status != 200 || !strings.Contains(consent.body, "<strong>app1</strong>") || !strings.Contains(consent.body, "Hi Al&lt;i&gt;ce!") {
		t.Errorf("%d %s", consent.status, consent.body)
	}
	if policy := consent.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "form-action 'self' http://cb.test") {
		t.Errorf("the browser would not follow the redirect behind the form: %s", policy)
	}
	if formField(t, consent, "transaction_id") != consent.header.Get("Transaction_id") {
		t.Error("form and header have different transactions")
	}
}

func TestForgedLoginForms(t *testing.T) {
	t.Parallel()
	right := []string{"username", "alice", "password", "s3cret"}
	for name, tt := range map[string]struct {
		token  string // "": none, "own": that of the page
		header []string
		status int
		to     string
	}{
		"a program":            {"", nil, 302, "/"},
		"a program, wrong":     {"zzz", nil, 302, "/login"},
		"own page":             {"own", []string{"Origin", "http://gw.test", "User-Agent", "Mozilla/5.0"}, 302, "/"},
		"behind TLS":           {"own", []string{"Origin", "https://gw.test"}, 302, "/"},
		"browser, no token":    {"", []string{"User-Agent", "Mozilla/5.0"}, 302, "/login"},
		"same origin, none":    {"", []string{"Sec-Fetch-Site", "same-origin"}, 302, "/login"},
		"referer, none":        {"", []string{"Referer", "http://gw.test/login"}, 302, "/login"},
		"another site":         {"own", []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		"a neighbour":          {"own", []string{"Sec-Fetch-Site", "same-site"}, 403, ""},
		"another origin":       {"own", []string{"Origin", "http://evil.test"}, 403, ""},
		"a hidden origin":      {"own", []string{"Origin", "null"}, 403, ""},
		"an origin with a dot": {"own", []string{"Origin", "http://gw.test.evil.test"}, 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTestWorld(t)
			pairs := right
			switch page := w.send("GET", "/login", ""); tt.token {
			case "":
			case "own":
				pairs = append(pairs, "csrf_token", formField(t, page, "csrf_token"))
			default:
				pairs = append(pairs, "csrf_token", tt.token)
			}
			a := w.send("POST", "/login", form(pairs...), tt.header...)
			if a.status != tt.status || a.location() != tt.to {
				t.Errorf("%d to %q, want %d to %q", a.status, a.location(), tt.status, tt.to)
			}
		})
	}
	// The token of somebody else's session is worth nothing.
	w, attacker := newTestWorld(t), newTestWorld(t)
	token := formField(t, attacker.send("GET", "/login", ""), "csrf_token")
	w.send("GET", "/login", "")
	if a := w.send("POST", "/login", form(append(right, "csrf_token", token)...)); a.location() != "/login" {
		t.Errorf("to %q", a.location())
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	loggedIn := func(w *world) bool { return w.authorize("code").status == 200 }
	flip := func(s string, at int) string {
		b := []byte(s)
		if b[at]++; b[at] == '{' || b[at] == '[' || b[at] == ':' {
			b[at] = 'A'
		}
		return string(b)
	}
	for name, tt := range map[string]struct {
		change func(w *world, cookie string) string
		want   bool
	}{
		"as it is":        {func(_ *world, c string) string { return c }, true},
		"another replica": {func(w *world, c string) string { w.restart(); return c }, true},
		"secret rotated": {func(w *world, c string) string {
			w.settings.SessionSecrets = []string{secret + "2", secret}
			w.restart()
			return c
		}, true},
		"another secret": {func(w *world, c string) string {
			w.settings.SessionSecrets = []string{secret + "2"}
			w.restart()
			return c
		}, false},
		"weak secret": {func(w *world, c string) string {
			w.settings.SessionSecrets = []string{"keyboard cat"}
			w.restart()
			return c
		}, false},
		"first bit":     {func(_ *world, c string) string { return flip(c, 0) }, false},
		"in the middle": {func(_ *world, c string) string { return flip(c, len(c)/2) }, false},
		"cut":           {func(_ *world, c string) string { return c[:len(c)-4] }, false},
		"empty":         {func(*world, string) string { return "" }, false},
		"not base64":    {func(*world, string) string { return "%%%" }, false},
		"long":          {func(_ *world, c string) string { return c + strings.Repeat("A", 1<<20) }, false},
		"old":           {func(w *world, c string) string { w.now = w.now.Add(24 * time.Hour); return c }, false},
		"not so old":    {func(w *world, c string) string { w.now = w.now.Add(23 * time.Hour); return c }, true},
		"a transaction": {func(w *world, _ string) string { return w.authorize("code").header.Get("Transaction_id") }, false},
		"user switched off": {func(w *world, c string) string {
			_, err := w.consumers.SetUserActive(w.t.Context(), "alice", false)
			w.must(err)
			return c
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTestWorld(t)
			w.login()
			w.cookies["egk8s.sid"] = tt.change(w, w.cookies["egk8s.sid"])
			if got := loggedIn(w); got != tt.want {
				t.Errorf("logged in: %v, want %v", got, tt.want)
			}
		})
	}
	w := newTestWorld(t)
	w.login()
	if a := w.send("GET", "/logout", ""); a.status != 302 || a.location() != "/" || loggedIn(w) {
		t.Errorf("logout: %d to %s", a.status, a.location())
	}
}

func TestSessionCookieAttributes(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t, func(w *world) {
		w.settings.SessionCookie, w.settings.SessionLife, w.settings.SecureCookie = "sid", time.Minute, true
	})
	w.login()
	if !strings.HasPrefix(w.cookie, "sid=") || !strings.HasSuffix(w.cookie, "; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60") {
		t.Errorf("%s", w.cookie)
	}
	if strings.Contains(w.cookie, w.alice.ID) {
		t.Error("the cookie tells who the user is")
	}
	w = newTestWorld(t, func(w *world) { w.settings.SessionCookie = "a;b" })
	if w.send("GET", "/login", "", "X-Forwarded-Proto", "https"); !strings.HasPrefix(w.cookie, "egk8s.sid=") || !strings.HasSuffix(w.cookie, "; Secure") {
		t.Errorf("behind a proxy that ends TLS: %s", w.cookie)
	}
}

func TestWeakSecretIsNotUsed(t *testing.T) {
	t.Parallel()
	for _, secrets := range [][]string{nil, {"keyboard cat"}, {strings.Repeat("x", 15)}} {
		w := newTestWorld(t, func(w *world) { w.settings.SessionSecrets = secrets })
		if len(w.server.Warnings()) != 1 {
			t.Errorf("%q: %q", secrets, w.server.Warnings())
		}
	}
}
