package policy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	peer "github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/policy"
)

// keyServer is an identity provider with keys that change.
type keyServer struct {
	*httptest.Server
	mu   sync.Mutex
	keys map[string]*ecdsa.PrivateKey // nil: it is down
}

func newKeyServer(t *testing.T, ids ...string) *keyServer {
	t.Helper()
	k := &keyServer{}
	k.rotate(t, ids...)
	k.Server = httptest.NewServer(http.HandlerFunc(k.serve))
	t.Cleanup(k.Close)
	return k
}

func (k *keyServer) serve(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.keys == nil:
		w.WriteHeader(http.StatusBadGateway)
	case r.URL.Path == "/.well-known/openid-configuration":
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": k.URL, "jwks_uri": k.URL + "/keys"})
	default:
		var keys []map[string]string
		for id, key := range k.keys {
			point, _ := key.PublicKey.Bytes()
			b64 := base64.RawURLEncoding.EncodeToString
			keys = append(keys, map[string]string{"kty": "EC", "crv": "P-256", "kid": id, "x": b64(point[1:33]), "y": b64(point[33:])})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
	}
}

// rotate makes new keys; without any the server is down.
func (k *keyServer) rotate(t *testing.T, ids ...string) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = nil
	for _, id := range ids {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if k.keys == nil {
			k.keys = map[string]*ecdsa.PrivateKey{}
		}
		k.keys[id] = key
	}
}

func (k *keyServer) token(t *testing.T, id string, claims peer.MapClaims) string {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	token := peer.NewWithClaims(peer.SigningMethodES256, claims)
	token.Header["kid"] = id
	text, err := token.SignedString(k.keys[id])
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

// keyPolicy is a jwt policy of a configuration that is committed.
func keyPolicy(t *testing.T, action map[string]any) policy.Policy {
	t.Helper()
	memory := policy.NewMemory()
	t.Cleanup(memory.Close)
	env := &policy.Environment{Memory: memory, Consumers: directory{}, Log: slog.New(slog.DiscardHandler)}
	p := build(t, "jwt", action, env)
	env.Commit(t.Context())
	return p
}

func ask(t *testing.T, p policy.Policy, auth string) outcome {
	t.Helper()
	x, sink := exchange("GET", "/", map[string]string{"Authorization": auth})
	return authenticate(t, p, x, sink)
}

func TestJWTKeySet(t *testing.T) {
	t.Parallel()
	k := newKeyServer(t, "a", "b")
	claims := peer.MapClaims{"sub": "s", "iss": k.URL, "aud": "shop"}
	user := map[string]any{"sub": "s", "iss": k.URL, "aud": "shop"}
	hmac, err := peer.NewWithClaims(peer.SigningMethodHS256, claims).SignedString([]byte("shared"))
	if err != nil {
		t.Fatal(err)
	}
	byURI := map[string]any{"jwksUri": k.URL + "/keys"}
	byIssuer := map[string]any{"oidcIssuer": k.URL}
	for name, tt := range map[string]struct {
		action map[string]any
		more   map[string]any
		auth   string
		want   outcome
	}{
		"URI":                   {action: byURI, auth: k.token(t, "a", claims), want: outcome{Claims: user}},
		"the other key":         {action: byURI, auth: k.token(t, "b", claims), want: outcome{Claims: user}},
		"issuer":                {action: byIssuer, auth: k.token(t, "a", claims), want: outcome{Claims: user}},
		"another iss":           {action: byIssuer, auth: k.token(t, "a", peer.MapClaims{"iss": "https://evil.test"}), want: outcome{Status: 401}},
		"no iss":                {action: byIssuer, auth: k.token(t, "a", peer.MapClaims{"sub": "s"}), want: outcome{Status: 401}},
		"audience":              {action: byURI, more: map[string]any{"audience": "shop"}, auth: k.token(t, "a", claims), want: outcome{Claims: user}},
		"another audience":      {action: byURI, more: map[string]any{"audience": "bank"}, auth: k.token(t, "a", claims), want: outcome{Status: 401}},
		"another algorithm":     {action: byURI, more: map[string]any{"algorithms": []any{"RS256"}}, auth: k.token(t, "a", claims), want: outcome{Status: 401}},
		"HMAC":                  {action: byURI, auth: "Bearer " + hmac, want: outcome{Status: 401}},
		"HMAC, passThrough":     {action: byURI, more: map[string]any{"passThrough": true}, auth: "Bearer " + hmac, want: outcome{As: "anonymous"}},
		"a consumer":            {action: byURI, more: map[string]any{"checkCredentialExistence": true}, auth: k.token(t, "a", peer.MapClaims{"sub": "k1"}), want: outcome{As: "u1"}},
		"no consumer":           {action: byURI, more: map[string]any{"checkCredentialExistence": true}, auth: k.token(t, "a", claims), want: outcome{Status: 401}},
		"nothing":               {action: byURI, want: outcome{Status: 401}},
		"a token without a key": {action: byURI, auth: newKeyServer(t, "z").token(t, "z", claims), want: outcome{Status: 401}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			action := map[string]any{"checkCredentialExistence": false}
			maps.Copy(action, tt.action)
			maps.Copy(action, tt.more)
			if d := cmp.Diff(tt.want, ask(t, keyPolicy(t, action), tt.auth)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestJWTKeyRotation: a new key counts at once, one that is gone does not, even for tokens that were good.
func TestJWTKeyRotation(t *testing.T) {
	t.Parallel()
	k := newKeyServer(t, "a")
	p := keyPolicy(t, map[string]any{"jwksUri": k.URL, "checkCredentialExistence": false})
	before := k.token(t, "a", peer.MapClaims{"sub": "s"})
	steps := []int{ask(t, p, before).Status}
	k.rotate(t, "b")
	steps = append(steps, ask(t, p, k.token(t, "b", peer.MapClaims{"sub": "s"})).Status, ask(t, p, before).Status)
	if want := []int{0, 0, 401}; !slices.Equal(steps, want) {
		t.Errorf("statuses %v, want %v", steps, want)
	}
}

// TestJWTKeyOutage: without a set nobody is refused for good, and a set outlives the provider and a reload.
func TestJWTKeyOutage(t *testing.T) {
	t.Parallel()
	k := newKeyServer(t)
	memory := policy.NewMemory()
	t.Cleanup(memory.Close)
	action := map[string]any{"jwksUri": k.URL, "checkCredentialExistence": false, "passThrough": true}
	reload := func() policy.Policy {
		env := &policy.Environment{Memory: memory}
		p := build(t, "jwt", action, env)
		env.Commit(t.Context())
		return p
	}
	p := reload()
	if got := ask(t, p, "Bearer a.b.c"); got.Status != 503 {
		t.Errorf("without a set: %+v", got)
	}
	k.rotate(t, "a")
	token := k.token(t, "a", peer.MapClaims{"sub": "s"})
	soon(t, func() bool { return ask(t, p, token).Claims != nil })
	k.rotate(t)
	if got := ask(t, reload(), token); got.Claims == nil {
		t.Errorf("after a reload in an outage: %+v", got)
	}
}

func TestJWTKeyProblems(t *testing.T) {
	t.Parallel()
	for _, action := range []map[string]any{
		{"jwksUri": "/keys"},
		{"jwksUri": "ldap://a.test"},
		{"oidcIssuer": "https://"},
		{"jwksUri": "https://a.test", "algorithms": []any{"RS256", "HS256"}},
	} {
		if p, problems := policy.New(stepOf("jwt", action), &policy.Environment{}); p != nil || !problems.HasErrors() {
			t.Errorf("%v: %v", action, problems)
		}
	}
}

// soon waits for what happens beside requests.
func soon(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never happens")
		}
	}
}
