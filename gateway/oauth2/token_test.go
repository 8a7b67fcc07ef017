package oauth2_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/jwt"
)

func TestTokenMistakes(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	app := []string{"Authorization", basic(w.app1.ID, "appsec")}
	refused := `{"error":"invalid_grant","error_description":`
	for name, tt := range map[string]struct {
		body   string
		header []string
		status int
		want   string // in the body
	}{
		"no client":             {"grant_type=client_credentials", nil, 401, "Unauthorized"},
		"unknown client":        {"grant_type=client_credentials", []string{"Authorization", basic("nobody", "x")}, 401, "Unauthorized"},
		"wrong secret":          {"grant_type=client_credentials", []string{"Authorization", basic(w.app1.ID, "x")}, 401, "Unauthorized"},
		"user's password":       {"grant_type=client_credentials", []string{"Authorization", basic("alice", "s3cret")}, 401, "Unauthorized"},
		"no Basic at all":       {"grant_type=client_credentials", []string{"Authorization", "Basic"}, 400, "Bad Request"},
		"Basic without colon":   {"grant_type=client_credentials", []string{"Authorization", "Basic YQ=="}, 400, "Bad Request"},
		"Basic of no base64":    {"grant_type=client_credentials", []string{"Authorization", "Basic ###"}, 400, "Bad Request"},
		"wrong secret in body":  {form("grant_type", "client_credentials", "client_id", w.app1.ID, "client_secret", "x"), nil, 401, "Unauthorized"},
		"scope it lacks":        {"grant_type=client_credentials&scope=write", app, 401, "Unauthorized"},
		"scope of no existence": {"grant_type=client_credentials&scope=read+zzz", app, 401, "Unauthorized"},
		"scope in the URL":      {"grant_type=client_credentials", append([]string{"?", "scope=write"}, app...), 401, "Unauthorized"},
		"scope beside another":  {"grant_type=client_credentials&scope=write", append([]string{"?", "scope=read"}, app...), 401, "Unauthorized"},
		"second scope in URL":   {"grant_type=client_credentials", append([]string{"?", "scope=read&scope=write"}, app...), 401, "Unauthorized"},
		"no grant type":         {"x=1", app, 501, `{"error":"unsupported_grant_type","error_description":"Unsupported grant type: undefined"}`},
		"unknown grant type":    {"grant_type=%3Cb%3E", app, 501, "unsupported_grant_type"},
		"two scopes fields":     {"grant_type=client_credentials&scope=read&scope=read", app, 400, "scope must be a string"},
		"no username":           {"grant_type=password&password=x", app, 400, `{"error":"invalid_request","error_description":"Missing required parameter: username"}`},
		"no password":           {"grant_type=password&username=x", app, 400, "Missing required parameter: password"},
		"two usernames":         {"grant_type=password&username=x&username=y&password=z", app, 400, "username must be a string"},
		"wrong password":        {"grant_type=password&username=alice&password=no", app, 403, refused + `"Invalid resource owner credentials"}`},
		"unknown user":          {"grant_type=password&username=zz&password=no", app, 403, refused + `"Invalid resource owner credentials"}`},
		"no code":               {"grant_type=authorization_code", app, 400, "Missing required parameter: code"},
		"unknown code":          {"grant_type=authorization_code&code=00000000000000000000000000000000", app, 403, refused + `"Invalid authorization code"}`},
		"no refresh token":      {"grant_type=refresh_token", app, 400, "Missing required parameter: refresh_token"},
		"unknown refresh token": {"grant_type=refresh_token&refresh_token=a%7Cb", app, 403, refused + `"Invalid refresh token"}`},
		"broken JSON":           {"{", append([]string{"Content-Type", "application/json"}, app...), 400, ""},
		"a long body":           {"grant_type=" + strings.Repeat("x", 200<<10), app, 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := "/oauth2/token"
			if len(tt.header) > 0 && tt.header[0] == "?" {
				target, tt.header = target+"?"+tt.header[1], tt.header[2:]
			}
			a := w.send("POST", target, tt.body, tt.header...)
			if a.status != tt.status || !strings.Contains(a.body, tt.want) {
				t.Errorf("%d %s, want %d %s", a.status, a.body, tt.status, tt.want)
			}
			if challenge := a.header.Get("WWW-Authenticate"); (a.status == 401) != (challenge == `Basic realm="Users"`) {
				t.Errorf("status %d with the challenge %q", a.status, challenge)
			}
			if a.body != "" && tt.want != "" && a.header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be cached")
			}
		})
	}
}

func TestGrants(t *testing.T) {
	t.Parallel()
	opaque := regexp.MustCompile(`^[0-9a-f]{32}\|[0-9a-f]{32}$`)
	keys := func(t *testing.T, a *answer, want ...string) map[string]any {
		t.Helper()
		got := a.json(t)
		for _, name := range want {
			if text, isText := got[name].(string); strings.HasSuffix(name, "_token") && (!isText || !opaque.MatchString(text)) {
				t.Errorf("%s is %v", name, got[name])
			}
		}
		if len(got) != len(want)+2 || got["token_type"] != "Bearer" || got["expires_in"] != 7200.0 || a.status != 200 ||
			a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" {
			t.Errorf("%d %s %v", a.status, a.body, a.header)
		}
		return got
	}
	w := newTestWorld(t)
	first := keys(t, w.token("grant_type", "client_credentials", "scope", "read"), "access_token")
	if again := keys(t, w.token("grant_type", "client_credentials", "scope", "read"), "access_token"); again["access_token"] != first["access_token"] {
		t.Error("the same grant has two tokens")
	}
	inBody := w.send("POST", "/oauth2/token", `{"grant_type":"client_credentials","client_id":"`+w.app1.ID+`","client_secret":"appsec"}`,
		"Content-Type", "application/json")
	if other := keys(t, inBody, "access_token"); other["access_token"] == first["access_token"] {
		t.Error("a token without scopes is one with scopes")
	}
	byPassword := keys(t, w.token("grant_type", "password", "username", "alice", "password", "s3cret"), "access_token", "refresh_token")
	refresh, _ := byPassword["refresh_token"].(string)
	if again := keys(t, w.token("grant_type", "refresh_token", "refresh_token", refresh), "access_token"); again["access_token"] != byPassword["access_token"] {
		t.Error("a refresh while the token is valid gives another one")
	}
	w.now = w.now.Add(2 * time.Hour)
	if later := keys(t, w.token("grant_type", "refresh_token", "refresh_token", refresh), "access_token"); later["access_token"] == byPassword["access_token"] {
		t.Error("a refresh gives an expired token")
	}
	other := w.send("POST", "/oauth2/token", form("grant_type", "refresh_token", "refresh_token", refresh), "Authorization", basic(w.app2.ID, "appsec"))
	if other.status != 403 {
		t.Errorf("the refresh token of another client: %d %s", other.status, other.body)
	}
	w.now = w.now.Add(time.Hour)
	if a := w.token("grant_type", "refresh_token", "refresh_token", refresh); a.status != 403 {
		t.Errorf("an expired refresh token: %d %s", a.status, a.body)
	}
}

func TestCodeGrant(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	code := w.code("scope", "read")
	exchange := func(client *consumer.Consumer, uri string) *answer {
		return w.send("POST", "/oauth2/token", form("grant_type", "authorization_code", "code", code, "redirect_uri", uri),
			"Authorization", basic(client.ID, "appsec"))
	}
	for name, a := range map[string]*answer{
		"another client": exchange(w.app2, callback), "another redirect URI": exchange(w.app1, callback+"/x"), "no redirect URI": exchange(w.app1, ""),
	} {
		if a.status != 403 || a.json(t)["error"] != "invalid_grant" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	a := exchange(w.app1, callback)
	text, _ := a.json(t)["access_token"].(string)
	who, token, err := w.tokens.AuthenticateToken(t.Context(), text)
	if err != nil || who.ID != w.app1.ID || token.Grant.UserID != w.alice.ID || cmp.Diff(token.Grant.Scopes, []string{"read"}) != "" {
		t.Errorf("%+v, %v: %s", token, err, a.body)
	}
	if again := exchange(w.app1, callback); again.status != 403 {
		t.Errorf("the code works twice: %s", again.body)
	}
}

func TestPKCE(t *testing.T) {
	t.Parallel()
	const (
		verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
		challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	)
	w := newTestWorld(t)
	exchange := func(code, verifier string) int {
		return w.token("grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier).status
	}
	code := w.code("code_challenge", challenge, "code_challenge_method", "S256")
	if a, b := exchange(code, ""), exchange(code, verifier+"x"); a != 403 || b != 403 {
		t.Errorf("without the verifier %d, with a wrong one %d", a, b)
	}
	if got := exchange(code, verifier); got != 200 {
		t.Errorf("with the verifier: %d", got)
	}
	if got := exchange(w.code(), verifier); got != 403 {
		t.Errorf("a verifier for a code without a challenge: %d", got)
	}
	for name, more := range map[string][]string{
		"plain":     {"code_challenge", challenge, "code_challenge_method", "plain"},
		"no method": {"code_challenge", challenge},
		"too short": {"code_challenge", "abc", "code_challenge_method", "S256"},
		"no value":  {"code_challenge_method", "S256"},
	} {
		if a := w.authorize("code", more...); a.status != 302 || !strings.HasPrefix(a.location(), callback+"?error=invalid_request&") {
			t.Errorf("%s: %d to %q", name, a.status, a.location())
		}
	}
}

func TestJWTAccessTokens(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t, func(w *world) {
		w.settings.JWT = &config.JWTTokens{Issuer: "eg", Audience: []string{"apis"}, Subject: "sub1", Algorithm: "HS256", Secret: "tok-secret"}
	})
	verifier, err := jwt.New(jwt.Options{Key: []byte("tok-secret"), Issuer: "eg", Audience: "apis"})
	w.must(err)
	a := w.token("grant_type", "client_credentials", "scope", "read")
	if _, has := a.json(t)["expires_in"]; has || a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	text, _ := a.json(t)["access_token"].(string)
	token, err := verifier.Verify(text, w.now)
	w.must(err)
	issued := float64(w.now.Unix())
	want := map[string]any{
		"consumerId": w.app1.ID, "scopes": []any{"read"}, "iss": "eg", "aud": "apis", "sub": "sub1", "iat": issued, "exp": issued + 7200,
	}
	if diff := cmp.Diff(want, token.Claims); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	byPassword := w.token("grant_type", "password", "username", "alice", "password", "s3cret").json(t)
	if byPassword["expires_in"] != 7200.0 || byPassword["refresh_token"] == nil {
		t.Errorf("%v", byPassword)
	}
	refresh, _ := byPassword["refresh_token"].(string)
	if again := w.token("grant_type", "refresh_token", "refresh_token", refresh); again.status != 200 || len(again.json(t)) != 2 {
		t.Errorf("refresh: %d %s", again.status, again.body)
	}
}

func TestJWTSettingsThatCannotSign(t *testing.T) {
	t.Parallel()
	whole := config.JWTTokens{Issuer: "eg", Audience: []string{"apis"}, Subject: "s", Algorithm: "HS256", Secret: "x"}
	for name, change := range map[string]func(*config.JWTTokens){
		"secretOrPrivateKey must have a value": func(j *config.JWTTokens) { j.Secret = "" },
		`\"issuer\" must be a string`:          func(j *config.JWTTokens) { j.Issuer = "" },
		`\"audience\" must be a string`:        func(j *config.JWTTokens) { j.Audience = nil },
		`\"subject\" must be a string`:         func(j *config.JWTTokens) { j.Subject = "" },
		"cannot sign":                          func(j *config.JWTTokens) { j.Algorithm = "RS256" },
		"cannot be read":                       func(j *config.JWTTokens) { j.SecretFile = "no/such/file" },
	} {
		settings := whole
		change(&settings)
		w := newTestWorld(t, func(w *world) { w.settings.JWT = &settings })
		a := w.token("grant_type", "client_credentials")
		if a.status != 500 || a.json(t)["error"] != "server_error" || !strings.Contains(a.body, name) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if len(w.server.Warnings()) != 1 {
			t.Errorf("%s: warnings %q", name, w.server.Warnings())
		}
	}
}

// TestRefreshGivesNoMoreThanTheClientHas: a scope that was taken from a client does not come back.
func TestRefreshGivesNoMoreThanTheClientHas(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	first := w.token("grant_type", "password", "username", "alice", "password", "s3cret", "scope", "read")
	refresh, _ := first.json(t)["refresh_token"].(string)
	again := func() *answer { return w.token("grant_type", "refresh_token", "refresh_token", refresh) }
	if a := again(); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	w.must(w.consumers.SetCredentialScopes(t.Context(), consumer.TypeOAuth2, w.app1.ID, nil))
	if a := again(); a.status != 403 || a.json(t)["error"] != "invalid_grant" {
		t.Errorf("%d %s", a.status, a.body)
	}
}
