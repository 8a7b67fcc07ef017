package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
)

// Tokens runs the contract of stores of tokens; open returns an empty one.
func Tokens(t *testing.T, open func(t *testing.T) consumer.TokenStore) {
	t.Helper()
	t.Run("issue and find", func(t *testing.T) { issueAndFind(t, open(t)) })
	t.Run("equal grants share a token", func(t *testing.T) { sharedTokens(t, open(t)) })
	t.Run("an expired token is not issued again", func(t *testing.T) { expiredTokens(t, open(t)) })
	t.Run("delete", func(t *testing.T) { deleteTokens(t, open(t)) })
	t.Run("issuing at the same time gives one token", func(t *testing.T) { issueTogether(t, open(t)) })
	t.Run("a code is taken once", func(t *testing.T) { takeCode(t, open(t)) })
	t.Run("a look-up allocates nothing", func(t *testing.T) { tokenAllocations(t, open(t)) })
}

// start is a whole second, so that every store can keep it.
func start() time.Time { return time.Unix(1_800_000_000, 0) }

// tokenOf is a token of a grant that lives for a minute from start; n makes its id.
func tokenOf(kind consumer.TokenKind, n int, grant consumer.Grant) *consumer.Token {
	return &consumer.Token{
		Kind: kind, Grant: grant, ID: fmt.Sprintf("%032x", n), Secret: strings.Repeat("ab", 16),
		CreatedAt: start(), ExpiresAt: start().Add(time.Minute),
		Credential: consumer.Credential{
			Type: consumer.TypeOAuth2, ID: grant.ConsumerID, ConsumerID: grant.ConsumerID, IsActive: true, Scopes: grant.Scopes,
		},
	}
}

func issue(t *testing.T, store consumer.TokenStore, token *consumer.Token, now time.Time) *consumer.Token {
	t.Helper()
	got, err := store.IssueToken(t.Context(), token, now)
	if err != nil {
		t.Fatalf("IssueToken: %v", err)
	}
	return got
}

func issueAndFind(t *testing.T, store consumer.TokenStore) {
	grant := consumer.Grant{ConsumerID: "app", UserID: "alice", ByPassword: true, Scopes: []string{"read", "write"}, RedirectURI: "http://x"}
	for _, kind := range []consumer.TokenKind{consumer.AccessToken, consumer.RefreshToken} {
		want := tokenOf(kind, 1, grant) // one id of both kinds: they are apart
		if got := issue(t, store, want, start()); got.ID != want.ID || got.Kind != kind {
			t.Errorf("IssueToken(%s) = %+v", kind, got)
		}
		got, err := store.Token(t.Context(), kind, want.ID)
		if err != nil {
			t.Fatalf("Token(%s): %v", kind, err)
		}
		same(t, string(kind), *got, *want)
	}
	for _, id := range []string{"", "zzz", strings.Repeat("0", 32)} {
		if _, err := store.Token(t.Context(), consumer.AccessToken, id); !errors.Is(err, consumer.ErrNotFound) {
			t.Errorf("Token(%q): %v, want ErrNotFound", id, err)
		}
	}
	if _, err := store.Token(t.Context(), "zzz", fmt.Sprintf("%032x", 1)); !errors.Is(err, consumer.ErrNotFound) {
		t.Errorf("a token of an unknown kind: %v, want ErrNotFound", err)
	}
}

func sharedTokens(t *testing.T, store consumer.TokenStore) {
	grants := []consumer.Grant{
		{ConsumerID: "app"},
		{ConsumerID: "app2"},
		{ConsumerID: "app", UserID: "alice"},
		{ConsumerID: "app", UserID: "alice", ByPassword: true},
		{ConsumerID: "app", RedirectURI: "http://x"},
		{ConsumerID: "app", Scopes: []string{"a"}},
		{ConsumerID: "app", Scopes: []string{"a", "b"}},
		{ConsumerID: "app", Scopes: []string{"a b"}},
		{ConsumerID: "app", Scopes: []string{"ab"}},
	}
	for i, grant := range grants {
		if got := issue(t, store, tokenOf(consumer.AccessToken, i+1, grant), start()); got.ID != fmt.Sprintf("%032x", i+1) {
			t.Errorf("%+v got the token of another grant", grant)
		}
	}
	for i, grant := range grants {
		got := issue(t, store, tokenOf(consumer.AccessToken, 100+i, grant), start().Add(59*time.Second))
		if got.ID != fmt.Sprintf("%032x", i+1) {
			t.Errorf("%+v got a second token while the first is valid", grant)
		}
	}
	if got := issue(t, store, tokenOf(consumer.RefreshToken, 200, grants[0]), start()); got.Kind != consumer.RefreshToken {
		t.Error("a refresh token was asked for, an access token came")
	}
}

func expiredTokens(t *testing.T, store consumer.TokenStore) {
	grant := consumer.Grant{ConsumerID: "app"}
	issue(t, store, tokenOf(consumer.AccessToken, 1, grant), start())
	end := start().Add(time.Minute)
	next := tokenOf(consumer.AccessToken, 2, grant)
	next.CreatedAt, next.ExpiresAt = end, end.Add(time.Minute)
	if got := issue(t, store, next, end); got.ID != next.ID {
		t.Error("an expired token was issued again")
	}
	if old, err := store.Token(t.Context(), consumer.AccessToken, fmt.Sprintf("%032x", 1)); err == nil && !old.ExpiredAt(end) {
		t.Error("the old token looks valid")
	}
}

func deleteTokens(t *testing.T, store consumer.TokenStore) {
	ctx, grant := t.Context(), consumer.Grant{ConsumerID: "app"}
	token := tokenOf(consumer.AccessToken, 1, grant)
	issue(t, store, token, start())
	if err := store.DeleteToken(ctx, consumer.RefreshToken, token.ID); !errors.Is(err, consumer.ErrNotFound) {
		t.Errorf("delete a token of the other kind: %v, want ErrNotFound", err)
	}
	if err := store.DeleteToken(ctx, consumer.AccessToken, token.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Token(ctx, consumer.AccessToken, token.ID); !errors.Is(err, consumer.ErrNotFound) {
		t.Errorf("a deleted token: %v, want ErrNotFound", err)
	}
	if err := store.DeleteToken(ctx, consumer.AccessToken, token.ID); !errors.Is(err, consumer.ErrNotFound) {
		t.Errorf("delete it again: %v, want ErrNotFound", err)
	}
	if got := issue(t, store, tokenOf(consumer.AccessToken, 2, grant), start()); got.ID == token.ID {
		t.Error("a deleted token was issued again")
	}
}

func issueTogether(t *testing.T, store consumer.TokenStore) {
	var ids sync.Map
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			got, err := store.IssueToken(context.Background(), tokenOf(consumer.AccessToken, n+1, consumer.Grant{ConsumerID: "app"}), start())
			if err != nil {
				t.Error(err)
				return
			}
			ids.Store(got.ID, true)
		})
	}
	all.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d tokens of one grant", n)
	}
}

func takeCode(t *testing.T, store consumer.TokenStore) {
	yes := func(*consumer.Code) bool { return true }
	code := func(id string) *consumer.Code {
		return &consumer.Code{
			ID: id, ConsumerID: "app", UserID: "alice", RedirectURI: "http://x", Scopes: []string{"read"}, Challenge: "c",
			CreatedAt: start(), ExpiresAt: start().Add(time.Minute),
		}
	}
	for _, id := range []string{"c1", "c2"} {
		if err := store.PutCode(t.Context(), code(id)); err != nil {
			t.Fatal(err)
		}
	}
	take := func(id string, now time.Time, good func(*consumer.Code) bool) error {
		got, err := store.TakeCode(t.Context(), id, now, good)
		if err == nil {
			same(t, id, *got, *code(id))
		} else if !errors.Is(err, consumer.ErrNotFound) {
			t.Errorf("TakeCode(%s): %v, want ErrNotFound", id, err)
		}
		return err
	}
	if take("zzz", start(), yes) == nil || take("c1", start(), func(*consumer.Code) bool { return false }) == nil {
		t.Error("an unknown code, or one that is refused, was taken")
	}
	if take("c2", start().Add(time.Minute), yes) == nil {
		t.Error("an expired code was taken")
	}
	if err := store.PutCode(t.Context(), code("c1")); err != nil { // a store may have forgotten it with the clock
		t.Fatal(err)
	}
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := store.TakeCode(context.Background(), "c1", start(), yes); err == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("one code was taken %d times", taken.Load())
	}
}

func tokenAllocations(t *testing.T, store consumer.TokenStore) {
	token := tokenOf(consumer.AccessToken, 1, consumer.Grant{ConsumerID: "app"})
	issue(t, store, token, start())
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { _, _ = store.Token(ctx, consumer.AccessToken, token.ID) }); n != 0 {
		t.Errorf("a look-up allocates %v times", n)
	}
}
