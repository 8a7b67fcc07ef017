package policy_test

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	peer "github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

// directory knows alice with a password and one jwt credential.
type directory struct{ err error }

func (d directory) AuthenticatePassword(_ context.Context, t consumer.CredentialType, name, password string) (*consumer.Consumer, *consumer.Credential, error) {
	if d.err != nil {
		return nil, nil, d.err
	}
	if t != consumer.TypeBasicAuth || name != "alice" || password != "s:1" {
		return nil, nil, &consumer.UnauthorizedError{Reason: "test"}
	}
	return &consumer.Consumer{ID: "u1"}, &consumer.Credential{Scopes: []string{"read"}}, nil
}

func (d directory) Holder(_ context.Context, t consumer.CredentialType, id string) (*consumer.Consumer, *consumer.Credential, error) {
	if d.err != nil {
		return nil, nil, d.err
	}
	if t != consumer.TypeJWT || id != "k1" {
		return nil, nil, &consumer.UnauthorizedError{Reason: "test"}
	}
	return &consumer.Consumer{ID: "u1"}, &consumer.Credential{Scopes: []string{"read"}}, nil
}

// outcome is what an authentication made of a request.
type outcome struct {
	Status int    // 0: goes on
	As     string // consumer, or anonymous as the response says
	Claims map[string]any
}

func authenticate(t *testing.T, p policy.Policy, x *message.Exchange, sink *recorder) outcome {
	t.Helper()
	got := apply(t, p, x, sink)
	if got.Header["Www-Authenticate"] != "" {
		t.Error("the answer has WWW-Authenticate")
	}
	out := outcome{Status: got.Status, As: got.Header["Eg-Consumer-Id"], Claims: x.Request.Claims}
	if x.Request.Consumer != nil {
		out.As = x.Request.Consumer.ID
	}
	if (got.Verdict == message.Answered) != (got.Status != 0) {
		t.Errorf("verdict %v with status %d", got.Verdict, got.Status)
	}
	return out
}

func basic(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

func TestBasicAuth(t *testing.T) {
	t.Parallel()
	away := errors.New("store is away")
	tests := map[string]struct {
		auth   string
		pass   bool
		scopes []string
		err    error
		want   outcome
	}{
		"right":                    {auth: basic("alice:s:1"), want: outcome{As: "u1"}},
		"scheme in small letters":  {auth: "b" + basic("alice:s:1")[1:], want: outcome{As: "u1"}},
		"no padding":               {auth: strings.TrimRight(basic("alice:s:1"), "="), want: outcome{As: "u1"}},
		"a third word":             {auth: basic("alice:s:1") + " x", want: outcome{As: "u1"}},
		"wrong password":           {auth: basic("alice:s"), want: outcome{Status: 401}},
		"no password":              {auth: basic("alice:"), want: outcome{Status: 401}},
		"no name":                  {auth: basic(":s:1"), want: outcome{Status: 401}},
		"no colon":                 {auth: basic("alice"), want: outcome{Status: 401}},
		"no base64":                {auth: "Basic !!!", want: outcome{Status: 401}},
		"scheme alone":             {auth: "Basic", want: outcome{Status: 401}},
		"two blanks":               {auth: "Basic  YWxpY2U6czox", want: outcome{Status: 401}},
		"another scheme":           {auth: "Bearer YWxpY2U6czox", want: outcome{Status: 401}},
		"nothing":                  {want: outcome{Status: 401}},
		"scopes suffice":           {auth: basic("alice:s:1"), scopes: []string{"read"}, want: outcome{As: "u1"}},
		"scopes do not":            {auth: basic("alice:s:1"), scopes: []string{"write"}, want: outcome{Status: 401}},
		"passThrough":              {pass: true, want: outcome{As: "anonymous"}},
		"passThrough, few scopes":  {pass: true, auth: basic("alice:s:1"), scopes: []string{"write"}, want: outcome{As: "anonymous"}},
		"store away":               {auth: basic("alice:s:1"), err: away, want: outcome{Status: 503}},
		"store away, passThrough":  {auth: basic("alice:s:1"), pass: true, err: away, want: outcome{Status: 503}},
		"too many":                 {auth: basic("alice:s:1"), err: consumer.ErrBusy, want: outcome{Status: 503}},
		"the URL-safe alphabet is": {auth: "Basic YWxpY2U6czo-", want: outcome{Status: 401}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := build(t, "basic-auth", map[string]any{"passThrough": tt.pass}, &policy.Environment{Consumers: directory{tt.err}})
			x, sink := exchange("GET", "/", map[string]string{"Authorization": tt.auth})
			x.Endpoint.Scopes = tt.scopes
			if d := cmp.Diff(tt.want, authenticate(t, p, x, sink)); d != "" {
				t.Error(d)
			}
			if x.Request.Header.Get("Authorization") != tt.auth {
				t.Error("the backend does not get the credential")
			}
		})
	}
}

// TestLaterAuthenticationCounts: a consumer takes the place of claims, and claims that of a consumer; the
// response goes on to say anonymous where an earlier step let the request pass.
func TestLaterAuthenticationCounts(t *testing.T) {
	t.Parallel()
	env := &policy.Environment{Consumers: directory{}}
	first := build(t, "jwt", map[string]any{"secretOrPublicKey": "shared", "passThrough": true}, env)
	second := build(t, "basic-auth", nil, env)
	x, sink := exchange("GET", "/", map[string]string{"Authorization": basic("alice:s:1")})
	x.Request.Claims = map[string]any{"sub": "before"}
	apply(t, first, x, sink)
	if got := apply(t, second, x, sink); got.Verdict != message.Continue || got.Header["Eg-Consumer-Id"] != "anonymous" {
		t.Errorf("got %+v", got)
	}
	if x.Request.Consumer == nil || x.Request.Claims != nil {
		t.Errorf("consumer %v beside claims %v", x.Request.Consumer, x.Request.Claims)
	}
}

func token(tb testing.TB, claims peer.MapClaims) string {
	tb.Helper()
	text, err := peer.NewWithClaims(peer.SigningMethodHS256, claims).SignedString([]byte("shared"))
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func TestJWT(t *testing.T) {
	t.Parallel()
	good := token(t, peer.MapClaims{"sub": "k1"})
	scoped := token(t, peer.MapClaims{"sub": "k1", "scope": "write admin"})
	noCheck := map[string]any{"checkCredentialExistence": false}
	enforced := map[string]any{"enforceScopes": true}
	tests := map[string]struct {
		action map[string]any
		auth   string
		header map[string]string
		url    string
		scopes []string
		err    error
		want   outcome
	}{
		"right":                    {auth: "Bearer " + good, want: outcome{As: "u1"}},
		"scheme in small letters":  {auth: "bearer " + good, want: outcome{As: "u1"}},
		"more blanks and words":    {auth: "Bearer   " + good + " x", want: outcome{As: "u1"}},
		"another scheme":           {auth: "JWT " + good, want: outcome{Status: 401}},
		"no scheme":                {auth: good, want: outcome{Status: 401}},
		"nothing":                  {want: outcome{Status: 401}},
		"unknown subject":          {auth: "Bearer " + token(t, peer.MapClaims{"sub": "k2"}), want: outcome{Status: 401}},
		"no subject":               {auth: "Bearer " + token(t, peer.MapClaims{"name": "k1"}), want: outcome{Status: 401}},
		"subject is a number":      {auth: "Bearer " + token(t, peer.MapClaims{"sub": 1}), want: outcome{Status: 401}},
		"expired":                  {auth: "Bearer " + token(t, peer.MapClaims{"sub": "k1", "exp": 1}), want: outcome{Status: 401}},
		"expired, passThrough":     {action: map[string]any{"passThrough": true}, auth: "Bearer " + token(t, peer.MapClaims{"sub": "k1", "exp": 1}), want: outcome{As: "anonymous"}},
		"store away":               {auth: "Bearer " + good, err: errors.New("away"), want: outcome{Status: 503}},
		"no check":                 {action: noCheck, auth: "Bearer " + token(t, peer.MapClaims{"id": "u9"}), want: outcome{Claims: map[string]any{"id": "u9"}}},
		"scopes are ignored":       {auth: "Bearer " + good, scopes: []string{"write"}, want: outcome{As: "u1"}},
		"of the token":             {action: enforced, auth: "Bearer " + scoped, scopes: []string{"write"}, want: outcome{As: "u1"}},
		"of the credential":        {action: enforced, auth: "Bearer " + good, scopes: []string{"read"}, want: outcome{As: "u1"}},
		"of both":                  {action: enforced, auth: "Bearer " + scoped, scopes: []string{"read", "admin"}, want: outcome{As: "u1"}},
		"of none":                  {action: enforced, auth: "Bearer " + good, scopes: []string{"write"}, want: outcome{Status: 403}},
		"enforced without check":   {action: map[string]any{"enforceScopes": true, "checkCredentialExistence": false}, auth: "Bearer " + good, scopes: []string{"read"}, want: outcome{Status: 403}},
		"header":                   {action: map[string]any{"jwtExtractor": "header", "jwtExtractorField": "x-token"}, header: map[string]string{"X-Token": good}, want: outcome{As: "u1"}},
		"header with capitals":     {action: map[string]any{"jwtExtractor": "header", "jwtExtractorField": "X-Token"}, header: map[string]string{"X-Token": good}, want: outcome{Status: 401}},
		"query":                    {action: map[string]any{"jwtExtractor": "query", "jwtExtractorField": "t"}, url: "/?t=" + good, want: outcome{As: "u1"}},
		"query twice":              {action: map[string]any{"jwtExtractor": "query", "jwtExtractorField": "t"}, url: "/?t=" + good + "&t=" + good, want: outcome{Status: 401}},
		"own scheme":               {action: map[string]any{"jwtExtractor": "authScheme", "jwtExtractorField": "Token"}, auth: "tOKEN " + good, want: outcome{As: "u1"}},
		"own scheme, other one":    {action: map[string]any{"jwtExtractor": "authScheme", "jwtExtractorField": "Token"}, auth: "Bearer " + good, want: outcome{Status: 401}},
		"issuer":                   {action: map[string]any{"issuer": "me"}, auth: "Bearer " + good, want: outcome{Status: 401}},
		"audience":                 {action: map[string]any{"audience": "me"}, auth: "Bearer " + token(t, peer.MapClaims{"sub": "k1", "aud": []string{"me"}}), want: outcome{As: "u1"}},
		"an algorithm that is not": {action: map[string]any{"algorithms": []any{"HS512"}}, auth: "Bearer " + good, want: outcome{Status: 401}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			action := map[string]any{"secretOrPublicKey": "shared", "jwtExtractor": "authBearer", "checkCredentialExistence": true}
			maps.Copy(action, tt.action)
			p := build(t, "jwt", action, &policy.Environment{Consumers: directory{tt.err}})
			for range 2 { // the second time from memory
				url := tt.url
				if url == "" {
					url = "/"
				}
				x, sink := exchange("GET", url, tt.header)
				if tt.auth != "" {
					x.Request.Header.Set("Authorization", tt.auth)
				}
				x.Endpoint.Scopes = tt.scopes
				if d := cmp.Diff(tt.want, authenticate(t, p, x, sink)); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// TestJWTRevocation: a token that is remembered does not outlive its credential.
func TestJWTRevocation(t *testing.T) {
	t.Parallel()
	who := &directory{}
	p := build(t, "jwt", map[string]any{"secretOrPublicKey": "shared", "checkCredentialExistence": true}, &policy.Environment{Consumers: who})
	ask := func() int {
		x, sink := exchange("GET", "/", map[string]string{"Authorization": "Bearer " + token(t, peer.MapClaims{"sub": "k1"})})
		return authenticate(t, p, x, sink).Status
	}
	if got := ask(); got != 0 {
		t.Fatalf("a good token: %d", got)
	}
	who.err = &consumer.UnauthorizedError{Reason: "revoked"}
	if got := ask(); got != 401 {
		t.Errorf("after the credential ended: %d, want 401", got)
	}
}

func TestJWTProblems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		action map[string]any
		want   string // "": none
		fatal  bool
	}{
		"a secret":             {action: map[string]any{"secretOrPublicKey": "x"}},
		"a file that is not":   {map[string]any{"secretOrPublicKeyFile": filepath.Join(dir, "no.pem")}, "secretOrPublicKeyFile: open", true},
		"an empty file":        {map[string]any{"secretOrPublicKeyFile": empty}, "the key is empty", true},
		"an empty secret":      {map[string]any{"secretOrPublicKey": ""}, "the key is empty", true},
		"a broken key":         {map[string]any{"secretOrPublicKey": "-----BEGIN PUBLIC KEY----- x"}, "line breaks", true},
		"no algorithm fits":    {map[string]any{"secretOrPublicKey": "x", "algorithms": []any{"RS256"}}, "every token is refused", false},
		"no algorithm at all":  {map[string]any{"secretOrPublicKey": "x", "algorithms": []any{}}, "every token is refused", false},
		"header with capitals": {map[string]any{"secretOrPublicKey": "x", "jwtExtractor": "header", "jwtExtractorField": "X-A"}, "small letters", false},
		"query without name":   {map[string]any{"secretOrPublicKey": "x", "jwtExtractor": "query"}, "no query parameter", false},
		"scheme without name":  {map[string]any{"secretOrPublicKey": "x", "jwtExtractor": "authScheme"}, "must name the scheme", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, problems := policy.New(stepOf("jwt", tt.action), &policy.Environment{})
			if (p == nil) != tt.fatal || problems.HasErrors() != tt.fatal {
				t.Errorf("policy %v with problems %v", p, problems)
			}
			if tt.want == "" && len(problems) > 0 || tt.want != "" && (len(problems) != 1 || !strings.Contains(problems[0].Message, tt.want)) {
				t.Errorf("problems %v, want one about %q", problems, tt.want)
			}
		})
	}
	elsewhere := &policy.Environment{ReadFile: func(string) ([]byte, error) { return nil, policy.ErrElsewhere }}
	if p, problems := policy.New(stepOf("jwt", map[string]any{"secretOrPublicKeyFile": "k.pem"}), elsewhere); p == nil || len(problems) > 0 {
		t.Errorf("a file that is elsewhere: %v, %v", p, problems)
	}
}

func TestIgnoresScopes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		step  config.Step
		bound bool // whether access tokens are JSON Web Tokens
		want  bool
	}{
		{stepOf("jwt", nil), false, true},
		{stepOf("jwt", map[string]any{"enforceScopes": false}), false, true},
		{stepOf("jwt", map[string]any{"enforceScopes": true}), false, false},
		{stepOf("key-auth", nil), true, false},
		{stepOf("oauth2", nil), false, false},
		{stepOf("oauth2", nil), true, true},
		{stepOf("oauth2", map[string]any{"jwt": map[string]any{"enforceScopes": true}}), true, false},
	} {
		if got := policy.IgnoresScopes(tt.step, &policy.Environment{JWTTokens: tt.bound}); got != tt.want {
			t.Errorf("IgnoresScopes(%s %v) = %v", tt.step.Policy, tt.step.Action, got)
		}
	}
}
