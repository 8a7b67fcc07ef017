package jwt_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"
	"time"

	peer "github.com/golang-jwt/jwt/v5"

	"egk8s.dev/egk8s/gateway/jwt"
)

// FuzzJWT holds the verifier to golang-jwt: no text makes it panic, and none that golang-jwt refuses with
// the same key is accepted. To get behind the signature, the text is also signed by the right key.
func FuzzJWT(f *testing.F) {
	secret := []byte("shared")
	for _, header := range []string{`{"alg":"HS256","typ":"JWT"}`, `{"alg":"RS256"}`, `{"alg":"HS256","crit":["exp"]}`, `{"alg":"HS256","alg":"none"}`} {
		for _, payload := range []string{
			`{}`, `{"exp":1700000001,"nbf":1}`, `{"exp":"1"}`, `{"exp":1.5,"aud":["a"],"iss":"i"}`, `{"exp":1e400}`, `{"exp":-9e18}`, `[]`, `null`, `{"aud":["a",1]}`,
		} {
			f.Add(header, payload)
		}
	}
	f.Add(sign(f, "HS256", secret, peer.MapClaims{"sub": "a"}), "")
	f.Add(sign(f, "RS256", rsaPair().private, peer.MapClaims{"sub": "a"}), "")
	f.Add(sign(f, "ES256", ecPair().private, peer.MapClaims{"sub": "a"}), "")
	judges := []judge{
		newJudge(f, secret, secret, "HS256", "HS384", "HS512"),
		newJudge(f, rsaPair().public, rsaPair().private.Public(), "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
		newJudge(f, ecPair().public, ecPair().private.Public(), "ES256"),
	}
	f.Fuzz(func(t *testing.T, header, payload string) {
		for _, token := range []string{header, header + "." + payload, signRaw(t, header, payload, secret)} {
			for _, j := range judges {
				j.compare(t, token)
			}
		}
	})
}

// judge is one key for both implementations.
type judge struct {
	ours  *jwt.Verifier
	peer  *peer.Parser
	key   crypto.PublicKey
	names string
}

func newJudge(f *testing.F, text []byte, key crypto.PublicKey, algorithms ...string) judge {
	f.Helper()
	return judge{
		ours: newVerifier(f, jwt.Options{Key: text}), key: key, names: strings.Join(algorithms, " "),
		peer: peer.NewParser(peer.WithValidMethods(algorithms), peer.WithTimeFunc(func() time.Time { return now })),
	}
}

func (j judge) compare(t *testing.T, token string) {
	t.Helper()
	got, err := j.ours.Verify(token, now)
	if (got == nil) == (err == nil) {
		t.Fatalf("%q: token %v with error %v", token, got, err)
	}
	if err != nil && !oneReason(err) {
		t.Fatalf("%q: %v is no reason, or several", token, err)
	}
	_, refused := j.peer.Parse(token, func(*peer.Token) (any, error) { return j.key, nil })
	if err == nil && refused != nil {
		t.Fatalf("%q is accepted with %s, and golang-jwt says: %v", token, j.names, refused)
	}
}

func oneReason(err error) bool {
	n := 0
	for _, reason := range []error{
		jwt.ErrMalformed, jwt.ErrAlgorithm, jwt.ErrSignature, jwt.ErrExpired,
		jwt.ErrNotYetValid, jwt.ErrAudience, jwt.ErrIssuer, jwt.ErrClaims, jwt.ErrUnknownKey,
	} {
		if errors.Is(err, reason) {
			n++
		}
	}
	return n == 1
}
