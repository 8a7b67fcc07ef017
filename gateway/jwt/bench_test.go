package jwt_test

import (
	"testing"

	peer "github.com/golang-jwt/jwt/v5"

	"egk8s.dev/egk8s/gateway/jwt"
)

// BenchmarkVerify is what a token costs that nobody remembers.
func BenchmarkVerify(b *testing.B) {
	secret := []byte("shared")
	for name, c := range map[string]struct{ key, signer any }{
		"HS256": {secret, secret}, "RS256": {rsaPair().public, rsaPair().private}, "ES256": {ecPair().public, ecPair().private},
	} {
		b.Run(name, func(b *testing.B) {
			key, _ := c.key.([]byte)
			v := newVerifier(b, jwt.Options{Key: key})
			token := sign(b, name, c.signer, peer.MapClaims{"sub": "k1", "exp": 4102444800, "iss": "https://issuer.example", "aud": "api"})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(token, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCache is what a token costs that was seen before.
func BenchmarkCache(b *testing.B) {
	v := newVerifier(b, jwt.Options{Key: rsaPair().public})
	token := sign(b, "RS256", rsaPair().private, peer.MapClaims{"sub": "k1", "exp": 4102444800, "iss": "https://issuer.example", "aud": "api"})
	c := jwt.NewCache()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Verify(v, token, now); err != nil {
			b.Fatal(err)
		}
	}
}
