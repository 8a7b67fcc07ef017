package jwt_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	peer "github.com/golang-jwt/jwt/v5"

	"egk8s.dev/egk8s/gateway/jwt"
)

// TestKeyForms: one key in every form that jsonwebtoken knows a public key by.
func TestKeyForms(t *testing.T) {
	t.Parallel()
	private, ok := rsaPair().private.(*rsa.PrivateKey)
	if !ok {
		t.Fatal("not an RSA key")
	}
	curve, ok := ecPair().private.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatal("not an EC key")
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotBefore: now, NotAfter: now.Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	ecPrivate, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		key        []byte
		algorithms []string
		alg        string
		signer     any
	}{
		"PUBLIC KEY":      {rsaPair().public, nil, "RS256", private},
		"text before it":  {append([]byte("# the key of the IdP\n"), rsaPair().public...), nil, "RS256", private},
		"RSA PUBLIC KEY":  {block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&private.PublicKey)), nil, "RS512", private},
		"CERTIFICATE":     {block("CERTIFICATE", certificate), nil, "PS256", private},
		"EC PUBLIC KEY":   {ecPair().public, []string{"ES256"}, "ES256", curve},
		"EC PRIVATE KEY":  {block("EC PRIVATE KEY", ecPrivate), []string{"ES256"}, "ES256", curve},
		"a secret's file": {[]byte("shared\n"), nil, "HS256", []byte("shared\n")},
	} {
		v := newVerifier(t, jwt.Options{Key: tt.key, Algorithms: tt.algorithms})
		if _, err := v.Verify(sign(t, tt.alg, tt.signer, peer.MapClaims{}), now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := v.Verify(sign(t, "HS256", append([]byte("x"), tt.key...), peer.MapClaims{}), now); err == nil {
			t.Errorf("%s: it accepts another key", name)
		}
	}
}
