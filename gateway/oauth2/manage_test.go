package oauth2_test

import (
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
)

// client is what an application shows.
func (w *world) client(app *consumer.Consumer) []string {
	return []string{"Authorization", basic(app.ID, "appsec")}
}

// byPassword gets tokens for alice.
func (w *world) byPassword(t *testing.T, app *consumer.Consumer) (access, refresh string) {
	t.Helper()
	got := w.send("POST", "/oauth2/token", "grant_type=password&username=alice&password=s3cret&scope=read", w.client(app)...).json(t)
	access, _ = got["access_token"].(string)
	refresh, _ = got["refresh_token"].(string)
	if access == "" || refresh == "" {
		t.Fatalf("no tokens: %v", got)
	}
	return access, refresh
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	access, refresh := w.byPassword(t, w.app1)
	valid := func(token string) bool {
		_, err := w.tokens.Look(t.Context(), token)
		return err == nil
	}
	for _, step := range []struct {
		what, body string
		header     []string
		status     int
		says       string
	}{
		{"nobody", form("token", access), nil, 401, "Unauthorized"},
		{"a wrong secret", form("token", access), []string{"Authorization", basic(w.app1.ID, "x")}, 401, "Unauthorized"},
		{"no token", "x=y", w.client(w.app1), 400, "Missing required parameter: token"},
		{"another client", form("token", access), w.client(w.app2), 400, "unauthorized_client"},
		{"what is no token", form("token", "abc"), w.client(w.app1), 200, ""},
		{"a wrong half", form("token", access[:40]+strings.Repeat("0", 25)), w.client(w.app1), 200, ""},
		{"a JSON Web Token", form("token", "a.b.c"), w.client(w.app1), 400, "unsupported_token_type"},
	} {
		a := w.send("POST", "/oauth2/revoke", step.body, step.header...)
		if a.status != step.status || !strings.Contains(a.body, step.says) || !valid(access) || !valid(refresh) {
			t.Errorf("%s: %d %s", step.what, a.status, a.body)
		}
	}
	if a := w.send("POST", "/oauth2/revoke", form("token", access, "token_type_hint", "refresh_token"), w.client(w.app1)...); a.status != 200 || valid(access) || !valid(refresh) {
		t.Errorf("an access token: %d %s", a.status, a.body)
	}
	access, refresh = w.byPassword(t, w.app1)
	if a := w.send("POST", "/oauth2/revoke", form("token", refresh), w.client(w.app1)...); a.status != 200 || valid(access) || valid(refresh) {
		t.Errorf("a refresh token takes its access token along: %d %s", a.status, a.body)
	}
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	access, refresh := w.byPassword(t, w.app1)
	ask := func(token string) map[string]any {
		t.Helper()
		a := w.send("POST", "/oauth2/introspect", form("token", token), w.client(w.app2)...)
		if a.status != 200 || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return a.json(t)
	}
	if a := w.send("POST", "/oauth2/introspect", form("token", access)); a.status != 401 {
		t.Errorf("nobody: %d, want 401", a.status)
	}
	got := ask(access)
	if got["active"] != true || got["scope"] != "read" || got["client_id"] != w.app1.ID || got["username"] != "alice" ||
		got["sub"] != w.alice.ID || got["token_type"] != "Bearer" || got["exp"] != float64(w.now.Add(2*time.Hour).Unix()) {
		t.Errorf("an access token: %v", got)
	}
	if got := ask(refresh); got["active"] != true || got["token_type"] != nil {
		t.Errorf("a refresh token: %v", got)
	}
	inactive := func(what, token string) {
		t.Helper()
		if got := ask(token); got["active"] != false || len(got) != 1 {
			t.Errorf("%s: %v, want nothing but that it is not active", what, got)
		}
	}
	inactive("an unknown token", strings.Repeat("0", 32)+"|"+strings.Repeat("0", 32))
	inactive("a wrong secret", access[:33]+strings.Repeat("0", 32))
	inactive("no token", "x")
	if _, err := w.consumers.SetUserActive(t.Context(), "alice", false); err != nil {
		t.Fatal(err)
	}
	for _, app := range []*consumer.Consumer{w.app1, w.app2} { // they went with her
		if _, err := w.consumers.SetApplicationActive(t.Context(), app.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	inactive("a token of a user who may not act", access)
	if _, err := w.consumers.SetUserActive(t.Context(), "alice", true); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2*time.Hour + time.Second)
	inactive("an expired token", access)
}

func TestIntrospectionOfJWT(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t, func(w *world) {
		w.settings.JWT = &config.JWTTokens{Issuer: "us", Audience: []string{"them"}, Subject: "all", Algorithm: "HS256", Secret: "a secret of the gateway"}
	})
	token, _ := w.send("POST", "/oauth2/token", "grant_type=client_credentials&scope=read", w.client(w.app1)...).json(t)["access_token"].(string)
	got := w.send("POST", "/oauth2/introspect", form("token", token), w.client(w.app2)...).json(t)
	if got["active"] != true || got["client_id"] != w.app1.ID || got["iss"] != "us" || got["aud"] != "them" || got["scope"] != "read" {
		t.Errorf("%v", got)
	}
	forged := token[:len(token)-4] + "AAAA"
	if got := w.send("POST", "/oauth2/introspect", form("token", forged), w.client(w.app2)...).json(t); got["active"] != false {
		t.Errorf("a forged token: %v", got)
	}
}
