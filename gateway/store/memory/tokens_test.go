package memory_test

import (
	"fmt"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/memory"
	"egk8s.dev/egk8s/gateway/store/storetest"
)

func TestTokenContract(t *testing.T) {
	storetest.Tokens(t, func(*testing.T) consumer.TokenStore { return memory.NewTokens(0) })
}

func tokenAt(n int, from time.Time, life time.Duration) *consumer.Token {
	return &consumer.Token{
		Kind: consumer.AccessToken, ID: fmt.Sprintf("%032x", n), Grant: consumer.Grant{ConsumerID: fmt.Sprint(n)},
		CreatedAt: from, ExpiresAt: from.Add(life),
	}
}

func TestTokensForgetWhatIsExpired(t *testing.T) {
	t.Parallel()
	store, now, ctx := memory.NewTokens(0), time.Unix(0, 0), t.Context()
	for n := range 1000 {
		now = now.Add(time.Second)
		if _, err := store.IssueToken(ctx, tokenAt(n, now, 10*time.Second), now); err != nil {
			t.Fatal(err)
		}
		if err := store.PutCode(ctx, &consumer.Code{ID: fmt.Sprint(n), CreatedAt: now, ExpiresAt: now.Add(5 * time.Second)}); err != nil {
			t.Fatal(err)
		}
	}
	if store.Len() != 15 {
		t.Errorf("%d tokens and codes are kept, want 10 and 5", store.Len())
	}
	if _, err := store.Token(ctx, consumer.AccessToken, fmt.Sprintf("%032x", 1)); err == nil {
		t.Error("an expired token is still found")
	}
}

func TestTokensAreBounded(t *testing.T) {
	t.Parallel()
	store, now, ctx := memory.NewTokens(10), time.Unix(0, 0), t.Context()
	for n := range 100 {
		if _, err := store.IssueToken(ctx, tokenAt(n, now, time.Duration(n+1)*time.Hour), now); err != nil {
			t.Fatal(err)
		}
	}
	if store.Len() != 10 {
		t.Errorf("%d tokens are kept, want 10", store.Len())
	}
	if _, err := store.Token(ctx, consumer.AccessToken, fmt.Sprintf("%032x", 99)); err != nil {
		t.Errorf("the youngest token: %v", err)
	}
}
