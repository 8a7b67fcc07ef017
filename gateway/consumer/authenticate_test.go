package consumer

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
)

// oneKey is a store of one consumer and one key.
type oneKey struct {
	Store
	owner Consumer
	key   Credential
	fail  error
}

func (s *oneKey) Consumer(_ context.Context, id string) (*Consumer, error) {
	if s.owner.ID != id {
		return nil, ErrNotFound
	}
	return &s.owner, nil
}

func (s *oneKey) Credential(_ context.Context, t CredentialType, id string) (*Credential, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	if s.key.Type != t || s.key.ID != id {
		return nil, ErrNotFound
	}
	return &s.key, nil
}

func newTestKey() *oneKey {
	sum := sha256.Sum256([]byte("secret1"))
	return &oneKey{
		owner: Consumer{Kind: KindUser, ID: "u1", Username: "alice", IsActive: true},
		key:   Credential{Type: TypeKeyAuth, ID: "k1", ConsumerID: "u1", IsActive: true, KeySecretSHA256: sum[:]},
	}
}

func newTestService(t *testing.T, store Store) *Service {
	t.Helper()
	s, err := New(store, Options{BcryptCost: 4})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAuthenticateKey(t *testing.T) {
	t.Parallel()
	broken := errors.New("store is away")
	tests := map[string]struct {
		id, secret string
		change     func(*oneKey)
		want       error
	}{
		"right":                {id: "k1", secret: "secret1"},
		"wrong secret":         {id: "k1", secret: "secret2", want: ErrUnauthorized},
		"empty secret":         {id: "k1", want: ErrUnauthorized},
		"unknown id":           {id: "k2", secret: "secret1", want: ErrUnauthorized},
		"key without hash":     {id: "k1", secret: "", change: func(s *oneKey) { s.key.KeySecretSHA256 = nil }, want: ErrUnauthorized},
		"inactive key":         {id: "k1", secret: "secret1", change: func(s *oneKey) { s.key.IsActive = false }, want: ErrUnauthorized},
		"inactive owner":       {id: "k1", secret: "secret1", change: func(s *oneKey) { s.owner.IsActive = false }, want: ErrUnauthorized},
		"owner does not exist": {id: "k1", secret: "secret1", change: func(s *oneKey) { s.owner.ID = "u2" }, want: ErrUnauthorized},
		"key of another type":  {id: "k1", secret: "secret1", change: func(s *oneKey) { s.key.Type = TypeJWT }, want: ErrUnauthorized},
		"store away":           {id: "k1", secret: "secret1", change: func(s *oneKey) { s.fail = broken }, want: broken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newTestKey()
			if tt.change != nil {
				tt.change(store)
			}
			who, cred, err := newTestService(t, store).AuthenticateKey(t.Context(), tt.id, tt.secret)
			if !errors.Is(err, tt.want) {
				t.Fatalf("AuthenticateKey: error %v, want %v", err, tt.want)
			}
			if tt.want == nil && (who.Username != "alice" || cred.ID != "k1") {
				t.Errorf("AuthenticateKey = %v, %v", who, cred)
			}
			if errors.Is(err, broken) && errors.Is(err, ErrUnauthorized) {
				t.Error("a store that is away must not count as unauthorized")
			}
		})
	}
}

// TestHolder: possession is proven elsewhere, but credential and owner must be active.
func TestHolder(t *testing.T) {
	t.Parallel()
	broken := errors.New("store is away")
	tests := map[string]struct {
		id     string
		change func(*oneKey)
		want   error
	}{
		"right":          {id: "k1"},
		"unknown":        {id: "k2", want: ErrUnauthorized},
		"inactive":       {id: "k1", change: func(s *oneKey) { s.key.IsActive = false }, want: ErrUnauthorized},
		"inactive owner": {id: "k1", change: func(s *oneKey) { s.owner.IsActive = false }, want: ErrUnauthorized},
		"another type":   {id: "k1", change: func(s *oneKey) { s.key.Type = TypeKeyAuth }, want: ErrUnauthorized},
		"store away":     {id: "k1", change: func(s *oneKey) { s.fail = broken }, want: broken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newTestKey()
			store.key.Type = TypeJWT
			if tt.change != nil {
				tt.change(store)
			}
			who, cred, err := newTestService(t, store).Holder(t.Context(), TypeJWT, tt.id)
			if !errors.Is(err, tt.want) || tt.want == nil && (who.ID != "u1" || cred.ID != "k1") {
				t.Errorf("Holder = %v, %v, %v, want error %v", who, cred, err, tt.want)
			}
		})
	}
}

func TestAuthenticateKeyAllocatesNothing(t *testing.T) {
	s, ctx := newTestService(t, newTestKey()), t.Context()
	got := testing.AllocsPerRun(100, func() {
		if _, _, err := s.AuthenticateKey(ctx, "k1", "secret1"); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("a right key costs %v allocations, want 0", got)
	}
}

func TestHasScopes(t *testing.T) {
	t.Parallel()
	c := Credential{Scopes: []string{"read", "write"}}
	for _, tt := range []struct {
		want   bool
		scopes []string
	}{
		{true, nil},
		{true, []string{"write"}},
		{true, []string{"write", "read"}},
		{false, []string{"admin"}},
		{false, []string{"read", "admin"}},
	} {
		if got := c.HasScopes(tt.scopes); got != tt.want {
			t.Errorf("HasScopes(%v) = %v, want %v", tt.scopes, got, tt.want)
		}
	}
}
