package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"sync"
	"testing"
	"time"

	peer "github.com/golang-jwt/jwt/v5"
)

// now is the clock of the tests.
var now = time.Unix(1_700_000_000, 0)

// pair is a key with its public half as PEM.
type pair struct {
	private crypto.Signer
	public  []byte
}

func newPair(private crypto.Signer, err error) pair {
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		panic(err)
	}
	return pair{private, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
}

var (
	rsaPair = sync.OnceValue(func() pair { return newPair(rsa.GenerateKey(rand.Reader, 2048)) })
	ecPair  = sync.OnceValue(func() pair { return newPair(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
)

// sign makes a token by another implementation.
func sign(tb testing.TB, algorithm string, key any, claims peer.MapClaims, change ...func(header map[string]any)) string {
	tb.Helper()
	token := peer.NewWithClaims(peer.GetSigningMethod(algorithm), claims)
	for _, f := range change {
		f(token.Header)
	}
	text, err := token.SignedString(key)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// signRaw signs header and payload as they stand with an HMAC.
func signRaw(tb testing.TB, header, payload string, secret []byte) string {
	tb.Helper()
	signed := encode(header) + "." + encode(payload)
	mac, err := peer.SigningMethodHS256.Sign(signed, secret)
	if err != nil {
		tb.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac)
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
