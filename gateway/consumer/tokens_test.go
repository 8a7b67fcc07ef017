package consumer_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/memory"
)

// newTestTokens is a world with its tokens, which live for a minute, refresh tokens for an hour.
func newTestTokens(t *testing.T) (*world, *consumer.Tokens) {
	t.Helper()
	w := newTestWorld(t, nil)
	return w, consumer.NewTokens(w.Service, memory.NewTokens(0), consumer.TokenLife{
		Access: time.Minute, Refresh: time.Hour, Code: time.Minute,
	})
}

func TestTokenFormAndSharing(t *testing.T) {
	t.Parallel()
	w, tokens := newTestTokens(t)
	w.user("al")
	app := w.app("al", "shop")
	issue := func(scopes ...string) string {
		t.Helper()
		token, err := tokens.Issue(t.Context(), consumer.AccessToken, consumer.Grant{ConsumerID: app.ID, Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		return token.String()
	}
	first := issue("b", "a")
	if !regexp.MustCompile(`^[0-9a-f]{32}\|[0-9a-f]{32}$`).MatchString(first) {
		t.Errorf("token %q", first)
	}
	if issue("a", "b", "a", "") != first {
		t.Error("the same scopes in another order give another token")
	}
	if issue("a") == first || issue() == first {
		t.Error("other scopes give the same token")
	}
	w.now = w.now.Add(time.Minute)
	if issue("a", "b") == first {
		t.Error("an expired token is given out again")
	}
	if _, err := tokens.Issue(t.Context(), consumer.AccessToken, consumer.Grant{}); err == nil {
		t.Error("a token without a client")
	}
}

func TestAuthenticateToken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(w *world, tokens *consumer.Tokens, text string) string
		want   error
	}{
		"right": {func(_ *world, _ *consumer.Tokens, text string) string { return text }, nil},
		"last moment": {func(w *world, _ *consumer.Tokens, text string) string {
			w.now = w.now.Add(59 * time.Second)
			return text
		}, nil},
		"expired":        {func(w *world, _ *consumer.Tokens, text string) string { w.now = w.now.Add(time.Minute); return text }, consumer.ErrUnauthorized},
		"empty":          {func(*world, *consumer.Tokens, string) string { return "" }, consumer.ErrUnauthorized},
		"id only":        {func(_ *world, _ *consumer.Tokens, text string) string { return text[:32] }, consumer.ErrUnauthorized},
		"no secret":      {func(_ *world, _ *consumer.Tokens, text string) string { return text[:33] }, consumer.ErrUnauthorized},
		"wrong secret":   {func(_ *world, _ *consumer.Tokens, text string) string { return text[:33] + strings.Repeat("0", 32) }, consumer.ErrUnauthorized},
		"a part of it":   {func(_ *world, _ *consumer.Tokens, text string) string { return text[:64] }, consumer.ErrUnauthorized},
		"more than it":   {func(_ *world, _ *consumer.Tokens, text string) string { return text + "0" }, consumer.ErrUnauthorized},
		"capitals":       {func(_ *world, _ *consumer.Tokens, text string) string { return strings.ToUpper(text) + "X" }, consumer.ErrUnauthorized},
		"unknown":        {func(_ *world, _ *consumer.Tokens, text string) string { return strings.Repeat("0", 32) + text[32:] }, consumer.ErrUnauthorized},
		"inactive user":  {func(w *world, _ *consumer.Tokens, text string) string { w.active("bob", false); return text }, consumer.ErrUnauthorized},
		"inactive owner": {func(w *world, _ *consumer.Tokens, text string) string { w.active("al", false); return text }, consumer.ErrUnauthorized},
		"deleted client": {func(w *world, _ *consumer.Tokens, text string) string {
			_ = w.DeleteApplication(w.t.Context(), "shop")
			return text
		}, consumer.ErrUnauthorized},
		"revoked": {func(w *world, tokens *consumer.Tokens, text string) string {
			if err := tokens.Revoke(w.t.Context(), text); err != nil {
				w.t.Error(err)
			}
			if err := tokens.Revoke(w.t.Context(), text); !errors.Is(err, consumer.ErrNotFound) {
				w.t.Errorf("revoked twice: %v", err)
			}
			return text
		}, consumer.ErrUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, tokens := newTestTokens(t)
			w.user("al")
			bob, app := w.user("bob"), w.app("al", "shop")
			grant := consumer.Grant{ConsumerID: app.ID, UserID: bob.ID, Scopes: []string{"read"}}
			token, err := tokens.Issue(t.Context(), consumer.AccessToken, grant)
			if err != nil {
				t.Fatal(err)
			}
			refresh, err := tokens.Issue(t.Context(), consumer.RefreshToken, grant)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := tokens.AuthenticateToken(t.Context(), refresh.String()); !errors.Is(err, consumer.ErrUnauthorized) {
				t.Errorf("a refresh token opens an endpoint: %v", err)
			}
			who, found, err := tokens.AuthenticateToken(t.Context(), tt.change(w, tokens, token.String()))
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if tt.want == nil && (who.ID != app.ID || !found.Credential.HasScopes([]string{"read"}) || found.Credential.HasScopes([]string{"write"})) {
				t.Errorf("%+v, %+v", who, found)
			}
		})
	}
}

// active switches a user on or off.
func (w *world) active(name string, on bool) {
	w.t.Helper()
	if _, err := w.SetUserActive(w.t.Context(), name, on); err != nil {
		w.t.Error(err)
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	w, tokens := newTestTokens(t)
	w.user("al")
	bob, app, other := w.user("bob"), w.app("al", "shop"), w.app("al", "other")
	grant := consumer.Grant{ConsumerID: app.ID, UserID: bob.ID, ByPassword: true, Scopes: []string{"read"}}
	token, err := tokens.Issue(t.Context(), consumer.RefreshToken, grant)
	if err != nil {
		t.Fatal(err)
	}
	text := token.String()
	got, err := tokens.Refresh(t.Context(), app.ID, text)
	if err != nil || !got.Equal(&grant) {
		t.Errorf("Refresh = %+v, %v", got, err)
	}
	for name, tt := range map[string]struct{ client, text string }{
		"another client": {other.ID, text},
		"wrong secret":   {app.ID, text[:33] + strings.Repeat("0", 32)},
		"id only":        {app.ID, text[:32]},
	} {
		if _, err := tokens.Refresh(t.Context(), tt.client, tt.text); !errors.Is(err, consumer.ErrUnauthorized) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.active("bob", false)
	if _, err := tokens.Refresh(t.Context(), app.ID, text); !errors.Is(err, consumer.ErrUnauthorized) {
		t.Errorf("the user is not active: %v", err)
	}
}

func TestRedeemCode(t *testing.T) {
	t.Parallel()
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	for name, tt := range map[string]struct {
		challenge string
		change    func(w *world, id *string, p *consumer.CodeProof)
		refused   bool
	}{
		"right":             {},
		"another client":    {change: func(_ *world, _ *string, p *consumer.CodeProof) { p.ConsumerID = "other" }, refused: true},
		"another redirect":  {change: func(_ *world, _ *string, p *consumer.CodeProof) { p.RedirectURI += "/" }, refused: true},
		"no redirect":       {change: func(_ *world, _ *string, p *consumer.CodeProof) { p.RedirectURI = "" }, refused: true},
		"unknown":           {change: func(_ *world, id *string, _ *consumer.CodeProof) { *id = strings.Repeat("0", 32) }, refused: true},
		"no code":           {change: func(_ *world, id *string, _ *consumer.CodeProof) { *id = "" }, refused: true},
		"expired":           {change: func(w *world, _ *string, _ *consumer.CodeProof) { w.now = w.now.Add(time.Minute) }, refused: true},
		"inactive user":     {change: func(w *world, _ *string, _ *consumer.CodeProof) { w.active("al", false) }, refused: true},
		"verifier":          {challenge: challenge, change: func(_ *world, _ *string, p *consumer.CodeProof) { p.Verifier = verifier }},
		"no verifier":       {challenge: challenge, refused: true},
		"wrong verifier":    {challenge: challenge, change: func(_ *world, _ *string, p *consumer.CodeProof) { p.Verifier = verifier + "v" }, refused: true},
		"challenge itself":  {challenge: challenge, change: func(_ *world, _ *string, p *consumer.CodeProof) { p.Verifier = challenge }, refused: true},
		"verifier for none": {change: func(_ *world, _ *string, p *consumer.CodeProof) { p.Verifier = verifier }, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, tokens := newTestTokens(t)
			al := w.user("al")
			code, err := tokens.IssueCode(t.Context(), consumer.Code{
				ConsumerID: "app", UserID: al.ID, RedirectURI: "http://cb", Scopes: []string{"b", "a"}, Challenge: tt.challenge,
			})
			if err != nil {
				t.Fatal(err)
			}
			id, proof := code.ID, consumer.CodeProof{ConsumerID: "app", RedirectURI: "http://cb"}
			if tt.change != nil {
				tt.change(w, &id, &proof)
			}
			got, err := tokens.RedeemCode(t.Context(), id, proof)
			if errors.Is(err, consumer.ErrUnauthorized) != tt.refused {
				t.Fatalf("RedeemCode: %v", err)
			}
			if tt.refused {
				return
			}
			if got.UserID != al.ID || strings.Join(got.Scopes, " ") != "a b" {
				t.Errorf("%+v", got)
			}
			if _, err := tokens.RedeemCode(t.Context(), id, proof); !errors.Is(err, consumer.ErrUnauthorized) {
				t.Errorf("the code works twice: %v", err)
			}
		})
	}
}

func TestAllowsScopes(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t, nil)
	ctx := t.Context()
	w.user("al")
	app := w.app("al", "shop")
	if err := w.CreateScopes(ctx, []string{"read", "write"}); err != nil {
		t.Fatal(err)
	}
	allows := func(want bool, scopes ...string) {
		t.Helper()
		if got, err := w.AllowsScopes(ctx, app.ID, scopes); err != nil || got != want {
			t.Errorf("AllowsScopes(%v) = %v, %v", scopes, got, err)
		}
	}
	allows(true)
	allows(false, "read")
	ask := consumer.NewCredential{Type: consumer.TypeOAuth2, Fields: fields{"secret": "s", "scopes": []any{"read"}}}
	if _, _, err := w.CreateCredential(ctx, app.ID, ask); err != nil {
		t.Fatal(err)
	}
	allows(true, "read")
	allows(false, "read", "write")
}

// FuzzAuthenticateToken: no text but the token itself opens anything, and none makes the rules panic.
func FuzzAuthenticateToken(f *testing.F) {
	store := memory.New()
	service, err := consumer.New(store, consumer.Options{BcryptCost: 4})
	if err != nil {
		f.Fatal(err)
	}
	user, err := service.CreateUser(f.Context(), map[string]any{"username": "al", "firstname": "F", "lastname": "L"})
	if err != nil {
		f.Fatal(err)
	}
	tokens := consumer.NewTokens(service, memory.NewTokens(0), consumer.TokenLife{Access: time.Hour})
	token, err := tokens.Issue(f.Context(), consumer.AccessToken, consumer.Grant{ConsumerID: user.ID})
	if err != nil {
		f.Fatal(err)
	}
	right := token.String()
	for _, seed := range []string{"", "|", "a|b", right, right[:32] + "|" + right[:32], right + "|x", strings.Repeat("é", 33)} {
		f.Add(seed, uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, cut uint8) {
		for _, one := range []string{text, right[:int(cut)%len(right)] + text} {
			_, _, err := tokens.AuthenticateToken(t.Context(), one)
			if (err == nil) != (one == right) {
				t.Errorf("%q: %v", one, err)
			}
			if err != nil && !errors.Is(err, consumer.ErrUnauthorized) {
				t.Errorf("%q: %v is no refusal", one, err)
			}
		}
	})
}

func BenchmarkAuthenticateToken(b *testing.B) {
	service, err := consumer.New(memory.New(), consumer.Options{BcryptCost: 4})
	if err != nil {
		b.Fatal(err)
	}
	user, err := service.CreateUser(b.Context(), map[string]any{"username": "al", "firstname": "F", "lastname": "L"})
	if err != nil {
		b.Fatal(err)
	}
	tokens := consumer.NewTokens(service, memory.NewTokens(0), consumer.TokenLife{Access: time.Hour})
	token, err := tokens.Issue(b.Context(), consumer.AccessToken, consumer.Grant{ConsumerID: user.ID})
	if err != nil {
		b.Fatal(err)
	}
	text := token.String()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := tokens.AuthenticateToken(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
}
