package jwt_test

import (
	"errors"
	"testing"
	"time"

	peer "github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/jwt"
)

// TestCacheEnds: a remembered token ends when it says so.
func TestCacheEnds(t *testing.T) {
	t.Parallel()
	key := []byte("shared")
	c, v := jwt.NewCache(), newVerifier(t, jwt.Options{Key: key})
	token := sign(t, "HS256", key, peer.MapClaims{"exp": now.Unix() + 10})
	first, err := c.Verify(v, token, now)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Verify(v, token, now.Add(9*time.Second)); again != first || err != nil {
		t.Errorf("it was verified again: %v, %v", again, err)
	}
	if _, err := c.Verify(v, token, now.Add(10*time.Second)); !errors.Is(err, jwt.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	endless := sign(t, "HS256", key, peer.MapClaims{})
	first, err = c.Verify(v, endless, now)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Verify(v, endless, now.Add(time.Hour)); again == first || err != nil {
		t.Errorf("a token without end is remembered for an hour: %v", err)
	}
}

// TestCacheSeparates: what one verifier accepted counts for no other.
func TestCacheSeparates(t *testing.T) {
	t.Parallel()
	key := []byte("shared")
	c := jwt.NewCache()
	token := sign(t, "HS256", key, peer.MapClaims{"sub": "k1", "aud": "one"})
	if _, err := c.Verify(newVerifier(t, jwt.Options{Key: key}), token, now); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		options jwt.Options
		want    error
	}{
		"another key":       {jwt.Options{Key: []byte("other")}, jwt.ErrSignature},
		"another audience":  {jwt.Options{Key: key, Audience: "two"}, jwt.ErrAudience},
		"an issuer":         {jwt.Options{Key: key, Issuer: "me"}, jwt.ErrIssuer},
		"another algorithm": {jwt.Options{Key: key, Algorithms: []string{"HS512"}}, jwt.ErrAlgorithm},
		"the same":          {jwt.Options{Key: key}, nil},
	} {
		for range 2 {
			if _, err := c.Verify(newVerifier(t, tt.options), token, now); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", name, err, tt.want)
			}
		}
	}
	short, err := c.Verify(newVerifier(t, jwt.Options{Key: key, DropClaims: true}), token, now)
	if err != nil || short.Claims != nil || short.Subject != "k1" {
		t.Errorf("without claims: %+v, %v", short, err)
	}
}

func TestCacheForgetsRefusals(t *testing.T) {
	t.Parallel()
	c, v := jwt.NewCache(), newVerifier(t, jwt.Options{Key: []byte("shared")})
	token := sign(t, "HS256", []byte("shared"), peer.MapClaims{"nbf": now.Unix() + 5})
	if _, err := c.Verify(v, token, now); !errors.Is(err, jwt.ErrNotYetValid) {
		t.Errorf("too early: %v", err)
	}
	if _, err := c.Verify(v, token, now.Add(5*time.Second)); err != nil {
		t.Errorf("in time: %v", err)
	}
	var none *jwt.Cache
	if _, err := none.Verify(v, token, now.Add(5*time.Second)); err != nil {
		t.Errorf("without a cache: %v", err)
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		claims map[string]any
		want   []string
	}{
		"scope":         {map[string]any{"scope": "read  write", "scopes": "x"}, []string{"read", "write"}},
		"scopes":        {map[string]any{"scope": "", "scopes": "read"}, []string{"read"}},
		"a list":        {map[string]any{"scopes": []any{"read", 1.0, "write"}}, []string{"read", "write"}},
		"none":          {map[string]any{}, nil},
		"something odd": {map[string]any{"scope": map[string]any{"read": true}}, nil},
	} {
		if d := cmp.Diff(tt.want, jwt.Scopes(tt.claims)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
