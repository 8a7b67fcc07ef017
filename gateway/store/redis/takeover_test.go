package redis_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/redis"
	"egk8s.dev/egk8s/gateway/store/redis/redistest"
)

// dump is the content of a Redis that Express Gateway 1.16.11 wrote, and what it was asked to write.
type dump struct {
	Facts  struct{ User, App, Access, Refresh, ByPassword, Code string }
	Hashes map[string]map[string]string
	Sets   map[string][]string
}

const dumpFile = "testdata/express-gateway-1.16.11.json"

// load fills a Redis; expiry is moved beyond the test.
func (d *dump) load(t *testing.T, client *goredis.Client) {
	t.Helper()
	for key, h := range d.Hashes {
		for field := range h {
			if field == "expiresAt" || strings.Contains(key, "-tokens:") { // of a token, or of the list of a client's
				h[field] = "32503680000000"
			}
		}
		if err := client.HSet(t.Context(), key, h).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for key, members := range d.Sets {
		if err := client.SAdd(t.Context(), key, members).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTakeOver reads what Express Gateway wrote, from a recorded dump, and goes on from there.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	var d dump
	text, err := os.ReadFile(dumpFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	server := redistest.Start(t)
	client := server.Client()
	defer func() { _ = client.Close() }()
	d.load(t, client)
	takeOver(t, server, d, "")
}

// takeOver reads what Express Gateway wrote and writes more; with dir, what it wrote stands in facts.json there.
func takeOver(t *testing.T, server *redistest.Server, d dump, dir string) {
	t.Helper()
	store := open(t, server, "EG")
	service, err := consumer.New(store, consumer.Options{BcryptCost: 4})
	if err != nil {
		t.Fatal(err)
	}
	tokens := consumer.NewTokens(service, store.Tokens(), consumer.TokenLife{Access: time.Hour, Code: time.Hour})
	readTheirs(t, service, tokens, d)
	writeOurs(t, store, service, tokens, d, dir)
}

func readTheirs(t *testing.T, service *consumer.Service, tokens *consumer.Tokens, d dump) {
	t.Helper()
	ctx := t.Context()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	who, cred, err := service.AuthenticateKey(ctx, "k1", "s1")
	check("key", err)
	if err == nil && (who.Username != "alice" || who.Properties["email"] != "a@example.com" || !cred.HasScopes([]string{"read"}) || cred.CreatedAt.IsZero()) {
		t.Errorf("key: %+v, %+v", who, cred)
	}
	_, cred, err = service.Holder(ctx, consumer.TypeJWT, "j1")
	check("jwt", err)
	if err == nil && (cred.KeySecret != "js" || cred.Scopes != nil) {
		t.Errorf("jwt: %+v", cred)
	}
	_, _, err = service.AuthenticatePassword(ctx, consumer.TypeBasicAuth, "alice", "password1")
	check("password", err)
	_, _, err = service.AuthenticatePassword(ctx, consumer.TypeOAuth2, d.Facts.App, "secret1")
	check("client", err)
	app, err := service.FindApplication(ctx, "shop")
	check("application", err)
	if err == nil && (app.ID != d.Facts.App || app.UserID != d.Facts.User) {
		t.Errorf("application: %+v", app)
	}
	_, token, err := tokens.AuthenticateToken(ctx, d.Facts.Access)
	check("access token", err)
	if err == nil && (!token.Credential.HasScopes([]string{"read"}) || token.Grant.UserID != "") {
		t.Errorf("access token: %+v", token)
	}
	_, err = tokens.Refresh(ctx, d.Facts.App, d.Facts.Refresh)
	check("refresh token", err)
	_, token, err = tokens.AuthenticateToken(ctx, d.Facts.ByPassword)
	check("token by password", err)
	if err == nil && (!token.Grant.ByPassword || token.Grant.UserID != d.Facts.User) {
		t.Errorf("token by password: %+v", token.Grant)
	}
	again, err := tokens.Issue(ctx, consumer.AccessToken, consumer.Grant{ConsumerID: d.Facts.App, Scopes: []string{"read"}})
	check("the same token again", err)
	if err == nil && again.String() != d.Facts.Access {
		t.Errorf("a second token was issued for the grant of a valid one")
	}
	_, err = tokens.RedeemCode(ctx, d.Facts.Code, consumer.CodeProof{ConsumerID: d.Facts.App, RedirectURI: "http://localhost/cb"})
	check("code", err)
}

func writeOurs(t *testing.T, store *redis.Store, service *consumer.Service, tokens *consumer.Tokens, d dump, dir string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	bob, err := service.CreateUser(ctx, map[string]any{"username": "bob", "firstname": "B", "lastname": "L"})
	must(err)
	for _, ask := range []consumer.NewCredential{
		{Type: consumer.TypeKeyAuth, Fields: map[string]any{"keyId": "ours", "keySecret": "oursecret", "scopes": []any{"write"}}},
		{Type: consumer.TypeBasicAuth, Fields: map[string]any{"password": "password2"}},
	} {
		_, _, err := service.CreateCredential(ctx, bob.ID, ask)
		must(err)
	}
	token, err := tokens.Issue(ctx, consumer.AccessToken, consumer.Grant{ConsumerID: d.Facts.App, Scopes: []string{"write"}})
	must(err)
	code, err := tokens.IssueCode(ctx, consumer.Code{ConsumerID: d.Facts.App, UserID: bob.ID, RedirectURI: "http://localhost/cb"})
	must(err)
	must(tokens.Revoke(ctx, d.Facts.ByPassword))
	if _, err := store.Credential(ctx, consumer.TypeKeyAuth, "ours"); err != nil {
		t.Error(err)
	}
	if dir == "" {
		return
	}
	facts, err := json.Marshal(map[string]string{
		"token": token.String(), "app": d.Facts.App, "code": code.ID, "revoked": d.Facts.ByPassword,
	})
	must(err)
	must(os.WriteFile(filepath.Join(dir, "facts.json"), facts, 0o600))
}
