package policy_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/jwt"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
	"egk8s.dev/egk8s/gateway/store/memory"
)

// bearers knows the one token "good", which has the scope read.
type bearers struct{ err error }

func (b bearers) AuthenticateToken(_ context.Context, text string) (*consumer.Consumer, *consumer.Token, error) {
	if b.err != nil {
		return nil, nil, b.err
	}
	if text != "good" {
		return nil, nil, &consumer.UnauthorizedError{Reason: "unknown"}
	}
	return &consumer.Consumer{ID: "app"}, &consumer.Token{
		Credential: consumer.Credential{Type: consumer.TypeOAuth2, Scopes: []string{"read"}},
	}, nil
}

func TestOAuth2(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	for name, tt := range map[string]struct {
		url, auth, kind, body string
		scopes                []string
		parsed                any
		store                 error
		status                int // 0: goes on
	}{
		"header":                 {auth: "Bearer good"},
		"lower case":             {auth: "bearer good"},
		"none":                   {status: 401},
		"wrong":                  {auth: "Bearer bad", status: 401},
		"empty":                  {auth: "Bearer ", status: 401},
		"scheme only":            {auth: "Bearer", url: "/?access_token=good", status: 401},
		"three words":            {auth: "Bearer good x", status: 401},
		"another scheme":         {auth: "Basic good", status: 401},
		"query":                  {url: "/x?a=b&access_token=good"},
		"query beside Basic":     {url: "/?access_token=good", auth: "Basic YTpi"},
		"escaped query":          {url: "/?access_token=go%6fd"},
		"another name":           {url: "/?my_access_token=good", status: 401},
		"header and query":       {url: "/?access_token=good", auth: "Bearer good", status: 401},
		"form":                   {kind: form, body: "x=1&access_token=good"},
		"form with charset":      {kind: form + "; charset=utf-8", body: "access_token=good"},
		"form and query":         {url: "/?access_token=good", kind: form, body: "access_token=good", status: 401},
		"JSON is not parsed":     {kind: "application/json", body: `{"access_token":"good"}`, status: 401},
		"JSON that was parsed":   {parsed: map[string]any{"access_token": "good"}},
		"list that was parsed":   {parsed: []any{"access_token"}, status: 401},
		"number that was parsed": {parsed: map[string]any{"access_token": 1.0}, status: 401},
		"header and parsed":      {auth: "Bearer good", parsed: map[string]any{"access_token": "good"}, status: 401},
		"form beside header":     {auth: "Bearer good", kind: form, body: "access_token=good"}, // the body stays unread
		"scope":                  {auth: "Bearer good", scopes: []string{"read"}},
		"scope it lacks":         {auth: "Bearer good", scopes: []string{"read", "write"}, status: 401},
		"store away":             {auth: "Bearer good", store: errors.New("away"), status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := build(t, "oauth2", nil, &policy.Environment{Tokens: bearers{tt.store}})
			x, sink := exchange("POST", "/"+strings.TrimPrefix(tt.url, "/"), map[string]string{"Authorization": tt.auth, "Content-Type": tt.kind})
			if tt.auth == "" {
				x.Request.Header.Del("Authorization")
			}
			x.Request.Body, x.Request.ContentLength = strings.NewReader(tt.body), int64(len(tt.body))
			x.Endpoint.Scopes, x.Request.Parsed = tt.scopes, tt.parsed
			got := apply(t, p, x, sink)
			if got.Status != tt.status || (got.Verdict == message.Answered) != (tt.status != 0) {
				t.Fatalf("%+v, want status %d", got, tt.status)
			}
			if tt.status == 401 && (got.Body != "Unauthorized" || got.Header["Www-Authenticate"] != "" || x.Request.Consumer != nil) {
				t.Errorf("%+v", got)
			}
			if tt.status == 0 && (x.Request.Consumer == nil || x.Request.Consumer.ID != "app" || x.Request.Header.Has("Authorization")) {
				t.Errorf("consumer %v, header %v", x.Request.Consumer, x.Request.Header.Map())
			}
		})
	}
}

func TestOAuth2PassThrough(t *testing.T) {
	t.Parallel()
	p := build(t, "oauth2", map[string]any{"passThrough": true}, &policy.Environment{Tokens: bearers{}})
	for _, auth := range []string{"", "Bearer bad"} {
		x, sink := exchange("GET", "/", map[string]string{"Authorization": auth})
		want := result{Verdict: message.Continue, Header: map[string]string{"Eg-Consumer-Id": "anonymous"}}
		if diff := cmp.Diff(want, apply(t, p, x, sink)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", auth, diff)
		}
		if x.Request.Header.Get("Authorization") != auth {
			t.Error("a header that opened nothing is gone")
		}
	}
}

func TestOAuth2WithoutServerRefuses(t *testing.T) {
	t.Parallel()
	x, sink := exchange("GET", "/", map[string]string{"Authorization": "Bearer good"})
	if got := apply(t, build(t, "oauth2", nil, &policy.Environment{}), x, sink); got.Status != 401 {
		t.Errorf("%+v", got)
	}
}

func TestOAuth2JWT(t *testing.T) {
	t.Parallel()
	env := func() *policy.Environment { return &policy.Environment{JWTTokens: true, Tokens: bearers{}} }
	signer, err := jwt.NewSigner([]byte("tok-secret"), "HS256")
	if err != nil {
		t.Fatal(err)
	}
	text, err := signer.Sign(map[string]any{
		"iss": "eg", "aud": "apis", "sub": "s", "consumerId": "app", "scopes": []string{"read"}, "exp": time.Now().Add(time.Hour).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	parameters := map[string]any{
		"secretOrPublicKey": "tok-secret", "jwtExtractor": "authBearer", "issuer": "eg", "audience": "apis", "checkCredentialExistence": false,
	}
	for name, tt := range map[string]struct {
		auth        string
		passThrough bool
		enforce     bool
		scopes      []string
		status      int
	}{
		"good":               {auth: "Bearer " + text},
		"opaque":             {auth: "Bearer good", status: 401},
		"none":               {status: 401},
		"passThrough":        {passThrough: true},
		"scopes":             {auth: "Bearer " + text, scopes: []string{"write"}},
		"enforced":           {auth: "Bearer " + text, enforce: true, scopes: []string{"read"}},
		"enforced, it lacks": {auth: "Bearer " + text, enforce: true, scopes: []string{"write"}, status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := maps.Clone(parameters)
			given["enforceScopes"] = tt.enforce
			p := build(t, "oauth2", map[string]any{"passThrough": tt.passThrough, "jwt": given}, env())
			x, sink := exchange("GET", "/", map[string]string{"Authorization": tt.auth})
			x.Endpoint.Scopes = tt.scopes
			if got := apply(t, p, x, sink); got.Status != tt.status {
				t.Errorf("%+v", got)
			}
			if tt.status == 0 && tt.auth != "" && (x.Request.Claims["consumerId"] != "app" || x.Request.Header.Get("Authorization") != tt.auth) {
				t.Errorf("claims %v", x.Request.Claims)
			}
		})
	}
	_, problems := policy.New(config.Step{Policy: "oauth2", Action: map[string]any{"passThrough": false}}, env())
	if !problems.HasErrors() || !strings.Contains(fmt.Sprint(problems), "secretOrPublicKey") {
		t.Errorf("without the parameter jwt: %v", problems)
	}
}

func BenchmarkOAuth2(b *testing.B) {
	service, err := consumer.New(memory.New(), consumer.Options{BcryptCost: 4})
	if err != nil {
		b.Fatal(err)
	}
	user, err := service.CreateUser(b.Context(), map[string]any{"username": "al", "firstname": "F", "lastname": "L"})
	if err != nil {
		b.Fatal(err)
	}
	tokens := consumer.NewTokens(service, memory.NewTokens(0), consumer.TokenLife{Access: time.Hour})
	token, err := tokens.Issue(b.Context(), consumer.AccessToken, consumer.Grant{ConsumerID: user.ID, Scopes: []string{"read"}})
	if err != nil {
		b.Fatal(err)
	}
	p, problems := policy.New(stepOf("oauth2", nil), &policy.Environment{Tokens: tokens})
	if problems.HasErrors() {
		b.Fatal(problems)
	}
	x, _ := exchange("GET", "/a?b=c", nil)
	x.Endpoint.Scopes = []string{"read"}
	value := []string{"Bearer " + token.String()}
	b.ReportAllocs()
	for b.Loop() {
		x.Request.Header.Map()["Authorization"] = value
		if verdict, err := p.Apply(b.Context(), x); verdict != message.Continue || err != nil {
			b.Fatal(verdict, err)
		}
	}
}
