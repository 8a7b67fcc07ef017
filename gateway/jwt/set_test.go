package jwt_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"strings"
	"testing"

	peer "github.com/golang-jwt/jwt/v5"

	"egk8s.dev/egk8s/gateway/jwt"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwkOf writes the public half of a key as a JSON Web Key.
func jwkOf(tb testing.TB, private any, more map[string]any) map[string]any {
	tb.Helper()
	var out map[string]any
	switch k := private.(type) {
	case *rsa.PrivateKey:
		out = map[string]any{"kty": "RSA", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())}
	case *ecdsa.PrivateKey:
		point, err := k.PublicKey.Bytes()
		if err != nil {
			tb.Fatal(err)
		}
		half := (len(point) - 1) / 2
		out = map[string]any{"kty": "EC", "crv": k.Params().Name, "x": b64(point[1 : 1+half]), "y": b64(point[1+half:])}
	case ed25519.PrivateKey:
		public, _ := k.Public().(ed25519.PublicKey)
		out = map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(public)}
	default:
		tb.Fatalf("no key: %T", private)
	}
	maps.Copy(out, more)
	return out
}

func setOf(tb testing.TB, keys ...map[string]any) *jwt.Set {
	tb.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		tb.Fatal(err)
	}
	set, err := jwt.ParseSet(text)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

func kid(id string) func(map[string]any) { return func(h map[string]any) { h["kid"] = id } }

func curveKey(tb testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	tb.Helper()
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestSet(t *testing.T) {
	t.Parallel()
	rs := rsaPair().private
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, p384, p521 := curveKey(t, elliptic.P256()), curveKey(t, elliptic.P384()), curveKey(t, elliptic.P521())
	set := setOf(
		t, jwkOf(t, rs, map[string]any{"kid": "r", "alg": "RS256", "use": "sig"}), jwkOf(t, p256, map[string]any{"kid": "e"}),
		jwkOf(t, p384, map[string]any{"kid": "e3"}), jwkOf(t, p521, map[string]any{"kid": "e5"}), jwkOf(t, ed, map[string]any{"kid": "d"}),
		jwkOf(t, other, map[string]any{"kid": "encrypts", "use": "enc"}),
		map[string]any{"kty": "oct", "kid": "s", "k": b64([]byte("shared"))},
	)
	if set.Len() != 5 {
		t.Errorf("%d keys verify", set.Len())
	}
	public := rsaPair().public
	claims := peer.MapClaims{"sub": "k1"}
	for name, tt := range map[string]struct {
		token      string
		algorithms []string
		want       error
	}{
		"RSA":                          {token: sign(t, "RS256", rs, claims, kid("r"))},
		"P-256":                        {token: sign(t, "ES256", p256, claims, kid("e"))},
		"P-384":                        {token: sign(t, "ES384", p384, claims, kid("e3"))},
		"P-521":                        {token: sign(t, "ES512", p521, claims, kid("e5"))},
		"Ed25519":                      {token: sign(t, "EdDSA", ed, claims, kid("d"))},
		"no kid":                       {token: sign(t, "ES256", p256, claims)},
		"no kid, another key":          {token: sign(t, "RS256", other, claims), want: jwt.ErrSignature},
		"another kid":                  {token: sign(t, "RS256", rs, claims, kid("x")), want: jwt.ErrUnknownKey},
		"the kid of another kind":      {token: sign(t, "RS256", rs, claims, kid("e")), want: jwt.ErrUnknownKey},
		"not the key's algorithm":      {token: sign(t, "RS512", rs, claims, kid("r")), want: jwt.ErrUnknownKey},
		"not listed":                   {token: sign(t, "RS256", rs, claims, kid("r")), algorithms: []string{"ES256"}, want: jwt.ErrAlgorithm},
		"signed by another":            {token: sign(t, "RS256", other, claims, kid("r")), want: jwt.ErrSignature},
		"a key for encryption":         {token: sign(t, "RS256", other, claims, kid("encrypts")), want: jwt.ErrUnknownKey},
		"HMAC by the PEM":              {token: sign(t, "HS256", public, claims, kid("r")), want: jwt.ErrAlgorithm},
		"HMAC by the PEM, listed":      {token: sign(t, "HS256", public, claims, kid("r")), algorithms: []string{"HS256", "RS256"}, want: jwt.ErrAlgorithm},
		"HMAC by a secret of the set":  {token: sign(t, "HS256", []byte("shared"), claims, kid("s")), want: jwt.ErrAlgorithm},
		"HMAC by nothing":              {token: sign(t, "HS256", []byte{}, claims, kid("s")), want: jwt.ErrAlgorithm},
		"EdDSA with a key of another":  {token: sign(t, "EdDSA", ed, claims, kid("r")), want: jwt.ErrUnknownKey},
		"expired":                      {token: sign(t, "RS256", rs, peer.MapClaims{"exp": 1}, kid("r")), want: jwt.ErrExpired},
		"a kid that is no text counts": {token: sign(t, "RS256", rs, claims, func(h map[string]any) { h["kid"] = 5 })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVerifier(t, jwt.Options{Set: set, Algorithms: tt.algorithms})
			got, err := v.Verify(tt.token, now)
			if !errors.Is(err, tt.want) {
				t.Fatalf("Verify: %v, want %v", err, tt.want)
			}
			if tt.want == nil && got.Subject != "k1" {
				t.Errorf("subject %q", got.Subject)
			}
		})
	}
}

// TestSetIdentity: what one set accepted does not count once the key is gone.
func TestSetIdentity(t *testing.T) {
	t.Parallel()
	rs, ec := rsaPair().private, curveKey(t, elliptic.P256())
	before, after := setOf(t, jwkOf(t, rs, nil), jwkOf(t, ec, nil)), setOf(t, jwkOf(t, ec, nil))
	cache, token := jwt.NewCache(), sign(t, "RS256", rs, peer.MapClaims{"sub": "a"})
	if _, err := cache.Verify(newVerifier(t, jwt.Options{Set: before}), token, now); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Verify(newVerifier(t, jwt.Options{Set: after}), token, now); !errors.Is(err, jwt.ErrUnknownKey) {
		t.Errorf("a token of a key that is gone: %v", err)
	}
	if before.Equal(after) || !before.Equal(before) || before.Equal(nil) {
		t.Error("Equal")
	}
}

// TestSetTriesFew: a token without kid cannot make the gateway try every key of a long set.
func TestSetTriesFew(t *testing.T) {
	t.Parallel()
	last := curveKey(t, elliptic.P256())
	var keys []map[string]any
	for range 20 {
		keys = append(keys, jwkOf(t, curveKey(t, elliptic.P256()), map[string]any{"kid": "x"}))
	}
	v := newVerifier(t, jwt.Options{Set: setOf(t, append(keys, jwkOf(t, last, map[string]any{"kid": "l"}))...)})
	if _, err := v.Verify(sign(t, "ES256", last, peer.MapClaims{}), now); !errors.Is(err, jwt.ErrSignature) {
		t.Errorf("without kid: %v", err)
	}
	if _, err := v.Verify(sign(t, "ES256", last, peer.MapClaims{}, kid("l")), now); err != nil {
		t.Errorf("with kid: %v", err)
	}
}

func TestParseSetRefuses(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`{"kty":"oct"},`, 200) + `{"kty":"oct"}`
	n := func(bits uint) string {
		return b64(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), bits-1), big.NewInt(1)).Bytes())
	}
	for name, text := range map[string]string{
		"nothing":           ``,
		"HTML":              `<html>`,
		"a list":            `[]`,
		"no keys":           `{}`,
		"empty":             `{"keys":[]}`,
		"keys of null":      `{"keys":[null]}`,
		"keys of numbers":   `{"keys":[1,2]}`,
		"only a secret":     `{"keys":[{"kty":"oct","k":"c2hhcmVk"}]}`,
		"short":             `{"keys":[{"kty":"RSA","n":"` + n(512) + `","e":"AQAB"}]}`,
		"huge modulus":      `{"keys":[{"kty":"RSA","n":"` + n(16384) + `","e":"AQAB"}]}`,
		"e of one":          `{"keys":[{"kty":"RSA","n":"` + n(2048) + `","e":"AQ"}]}`,
		"e that is even":    `{"keys":[{"kty":"RSA","n":"` + n(2048) + `","e":"AQAC"}]}`,
		"huge e":            `{"keys":[{"kty":"RSA","n":"` + n(2048) + `","e":"` + n(2000) + `"}]}`,
		"n not base64":      `{"keys":[{"kty":"RSA","n":"***","e":"AQAB"}]}`,
		"point off curve":   `{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}`,
		"point at infinity": `{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""}]}`,
		"long coordinate":   `{"keys":[{"kty":"EC","crv":"P-256","x":"` + n(2048) + `","y":"AQ"}]}`,
		"unknown curve":     `{"keys":[{"kty":"EC","crv":"secp256k1","x":"AQ","y":"AQ"}]}`,
		"short Ed25519":     `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AQ"}]}`,
		"X25519":            `{"keys":[{"kty":"OKP","crv":"X25519","x":"` + b64(make([]byte, 32)) + `"}]}`,
		"too many":          `{"keys":[` + many + `]}`,
		"too long":          `{"keys":[{"kty":"oct","k":"` + strings.Repeat("a", jwt.MaxSet) + `"}]}`,
	} {
		if set, err := jwt.ParseSet([]byte(text)); err == nil {
			t.Errorf("%s: %d keys", name, set.Len())
		}
	}
}

// FuzzParseSet: no set makes it fail otherwise than by an error.
func FuzzParseSet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"},{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"a"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := jwt.ParseSet(text)
		if (set == nil) == (err == nil) || err == nil && set.Len() == 0 {
			t.Errorf("set %v with error %v", set, err)
		}
	})
}
