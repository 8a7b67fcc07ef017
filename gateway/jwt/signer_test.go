package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/jwt"
)

// pkcs8 is a private key and its public half as PEM.
func pkcs8(t *testing.T, private, public any) (string, string) {
	t.Helper()
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}))
}

func TestSignerMakesWhatVerifierAccepts(t *testing.T) {
	t.Parallel()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, rsaPublic := pkcs8(t, r, &r.PublicKey)
	ecKey, ecPublic := pkcs8(t, e, &e.PublicKey)
	for _, tt := range []struct{ algorithm, key, public string }{
		{"HS256", "secret", "secret"},
		{"HS512", "secret", "secret"},
		{"RS256", rsaKey, rsaPublic},
		{"PS384", rsaKey, rsaPublic},
		{"ES512", ecKey, ecPublic},
	} {
		t.Run(tt.algorithm, func(t *testing.T) {
			t.Parallel()
			signer, err := jwt.NewSigner([]byte(tt.key), tt.algorithm)
			if err != nil {
				t.Fatal(err)
			}
			text, err := signer.Sign(map[string]any{"sub": "s", "exp": 2000, "aud": []string{"a", "b"}})
			if err != nil {
				t.Fatal(err)
			}
			v := newVerifier(t, jwt.Options{Key: []byte(tt.public), Algorithms: []string{tt.algorithm}, Audience: "b"})
			token, err := v.Verify(text, time.Unix(1999, 0))
			if err != nil || token.Subject != "s" {
				t.Errorf("Verify = %+v, %v", token, err)
			}
			if _, err := v.Verify(text, time.Unix(2000, 0)); !errors.Is(err, jwt.ErrExpired) {
				t.Errorf("later: %v, want ErrExpired", err)
			}
		})
	}
	for name, tt := range map[string]struct{ key, algorithm, want string }{
		"no key":           {"", "HS256", "empty"},
		"unknown":          {"x", "none", "no algorithm"},
		"no PEM":           {"x", "RS256", "no PEM"},
		"public key":       {rsaPublic, "RS256", "no private key"},
		"of another kind":  {ecKey, "RS256", "does not fit"},
		"of another curve": {ecKey, "ES256", "does not fit"},
	} {
		if _, err := jwt.NewSigner([]byte(tt.key), tt.algorithm); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
