package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	peer "github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/jwt"
)

func newVerifier(tb testing.TB, o jwt.Options) *jwt.Verifier {
	tb.Helper()
	v, err := jwt.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func TestVerifyAlgorithms(t *testing.T) {
	t.Parallel()
	secret := []byte("shared")
	rs, ec := rsaPair(), ecPair()
	asymmetric := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	tests := map[string]struct {
		options jwt.Options
		signer  any
		good    []string
		bad     []string
	}{
		"a secret":                {jwt.Options{Key: secret}, secret, []string{"HS256", "HS384", "HS512"}, nil},
		"a secret, one algorithm": {jwt.Options{Key: secret, Algorithms: []string{"HS512"}}, secret, []string{"HS512"}, []string{"HS256", "HS384"}},
		"a secret, no algorithm":  {jwt.Options{Key: secret, Algorithms: []string{}}, secret, nil, []string{"HS256"}},
		"a public key":            {jwt.Options{Key: rs.public}, rs.private, asymmetric, nil},
		"a public key, listed":    {jwt.Options{Key: rs.public, Algorithms: []string{"HS256", "RS256"}}, rs.private, []string{"RS256"}, []string{"RS384", "PS256"}},
		"an EC key":               {jwt.Options{Key: ec.public}, ec.private, []string{"ES256"}, nil},
		"an EC key, listed":       {jwt.Options{Key: ec.public, Algorithms: []string{"RS256"}}, ec.private, nil, []string{"ES256"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVerifier(t, tt.options)
			for _, algorithm := range tt.good {
				token, err := v.Verify(sign(t, algorithm, tt.signer, peer.MapClaims{"sub": "k1"}), now)
				if err != nil || token.Subject != "k1" {
					t.Errorf("%s: %v, %v", algorithm, token, err)
				}
			}
			for _, algorithm := range tt.bad {
				if _, err := v.Verify(sign(t, algorithm, tt.signer, peer.MapClaims{"sub": "k1"}), now); !errors.Is(err, jwt.ErrAlgorithm) {
					t.Errorf("%s: %v, want %v", algorithm, err, jwt.ErrAlgorithm)
				}
			}
		})
	}
}

func TestVerifyClaims(t *testing.T) {
	t.Parallel()
	at := float64(now.Unix())
	tests := map[string]struct {
		payload string
		options jwt.Options
		want    error
	}{
		"nothing to check":       {payload: `{}`},
		"later":                  {payload: `{"exp":1700000001,"nbf":1700000000}`},
		"now is too late":        {payload: `{"exp":1700000000}`, want: jwt.ErrExpired},
		"zero is a time":         {payload: `{"exp":0}`, want: jwt.ErrExpired},
		"fraction":               {payload: `{"exp":1700000001.9}`},
		"fraction of this":       {payload: `{"exp":1700000000.9}`, want: jwt.ErrExpired},
		"exp in milliseconds":    {payload: `{"exp":4102444800000}`},
		"exp as text":            {payload: `{"exp":"4102444800"}`, want: jwt.ErrClaims},
		"exp null":               {payload: `{"exp":null}`, want: jwt.ErrClaims},
		"exp without end":        {payload: `{"exp":1e300}`, want: jwt.ErrClaims},
		"exp beyond numbers":     {payload: `{"exp":1e999}`, want: jwt.ErrClaims},
		"exp twice, last counts": {payload: `{"exp":4102444800,"exp":1}`, want: jwt.ErrExpired},
		"nbf":                    {payload: `{"nbf":1700000001}`, want: jwt.ErrNotYetValid},
		"nbf fraction":           {payload: `{"nbf":1700000000.5}`, want: jwt.ErrNotYetValid},
		"nbf as text":            {payload: `{"nbf":"1"}`, want: jwt.ErrClaims},
		"audience":               {payload: `{"aud":"one"}`, options: jwt.Options{Audience: "one"}},
		"audience of several":    {payload: `{"aud":["two","one"]}`, options: jwt.Options{Audience: "one"}},
		"other audience":         {payload: `{"aud":["two","ones"]}`, options: jwt.Options{Audience: "one"}, want: jwt.ErrAudience},
		"no audience":            {payload: `{}`, options: jwt.Options{Audience: "one"}, want: jwt.ErrAudience},
		"audience in an object":  {payload: `{"aud":{"one":"one"}}`, options: jwt.Options{Audience: "one"}, want: jwt.ErrAudience},
		"mixed audiences":        {payload: `{"aud":["one",1]}`, options: jwt.Options{Audience: "one"}, want: jwt.ErrAudience},
		"issuer":                 {payload: `{"iss":"me"}`, options: jwt.Options{Issuer: "me"}},
		"other issuer":           {payload: `{"iss":"Me"}`, options: jwt.Options{Issuer: "me"}, want: jwt.ErrIssuer},
		"issuers":                {payload: `{"iss":["me"]}`, options: jwt.Options{Issuer: "me"}, want: jwt.ErrIssuer},
		"payload is a list":      {payload: `[{"exp":1}]`, want: jwt.ErrClaims},
		"payload is a text":      {payload: `"exp"`, want: jwt.ErrClaims},
		"payload is null":        {payload: `null`, want: jwt.ErrClaims},
		"payload is no JSON":     {payload: `exp`, want: jwt.ErrClaims},
		"payload with more":      {payload: `{} {}`, want: jwt.ErrClaims},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.options.Key = []byte("shared")
			token, err := newVerifier(t, tt.options).Verify(signRaw(t, `{"alg":"HS256"}`, tt.payload, tt.options.Key), now)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v at %v, want %v", err, at, tt.want)
			}
			if (token == nil) == (err == nil) {
				t.Errorf("token %v with error %v", token, err)
			}
		})
	}
}

func TestVerifyReturnsClaims(t *testing.T) {
	t.Parallel()
	key := []byte("shared")
	v := newVerifier(t, jwt.Options{Key: key})
	got, err := v.Verify(signRaw(t, `{"alg":"HS256"}`, `{"sub":"k1","exp":1700000009,"scope":"a b"}`, key), now)
	if err != nil {
		t.Fatal(err)
	}
	want := &jwt.Token{
		Claims:  map[string]any{"sub": "k1", "exp": 1700000009.0, "scope": "a b"},
		Subject: "k1", Scopes: []string{"a", "b"}, Expires: time.Unix(1700000009, 0),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestAttacks are tokens by which others were fooled.
func TestAttacks(t *testing.T) {
	t.Parallel()
	rs, ec := rsaPair(), ecPair()
	secret := []byte("shared")
	claims := peer.MapClaims{"sub": "k1"}
	none := func(name string) string { return encode(`{"alg":"`+name+`"}`) + "." + encode(`{"sub":"k1"}`) + "." }
	good := sign(t, "HS256", secret, claims)
	pieces := strings.Split(good, ".")
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	header := func(name string, value any) string {
		return sign(t, "RS256", own, claims, func(h map[string]any) { h[name] = value })
	}
	tests := map[string]struct {
		key   []byte
		token string
		want  error
	}{
		"none":                            {secret, none("none"), jwt.ErrMalformed},
		"None":                            {secret, none("None"), jwt.ErrMalformed},
		"none, signed":                    {secret, none("none") + "AAAA", jwt.ErrAlgorithm},
		"none, public key":                {rs.public, none("none") + "AAAA", jwt.ErrAlgorithm},
		"no algorithm":                    {secret, signRaw(t, `{}`, `{}`, secret), jwt.ErrAlgorithm},
		"algorithm in small letters":      {secret, signRaw(t, `{"alg":"hs256"}`, `{}`, secret), jwt.ErrAlgorithm},
		"algorithm is a list":             {secret, signRaw(t, `{"alg":["HS256"]}`, `{}`, secret), jwt.ErrAlgorithm},
		"ALG beside alg":                  {secret, signRaw(t, `{"alg":"none","ALG":"HS256"}`, `{}`, secret), jwt.ErrAlgorithm},
		"public key as secret":            {rs.public, sign(t, "HS256", rs.public, claims), jwt.ErrAlgorithm},
		"EC public key as secret":         {ec.public, sign(t, "HS256", ec.public, claims), jwt.ErrAlgorithm},
		"secret where a key is":           {secret, sign(t, "RS256", rs.private, claims), jwt.ErrAlgorithm},
		"another curve":                   {ec.public, sign(t, "ES384", p384, claims), jwt.ErrAlgorithm},
		"EC zero signature":               {ec.public, encode(`{"alg":"ES256"}`) + "." + encode(`{}`) + "." + encode(strings.Repeat("\x00", 64)), jwt.ErrSignature},
		"EC short signature":              {ec.public, encode(`{"alg":"ES256"}`) + "." + encode(`{}`) + "." + encode("x"), jwt.ErrSignature},
		"another key":                     {rs.public, sign(t, "RS256", own, claims), jwt.ErrSignature},
		"kid names a file":                {rs.public, header("kid", "../../../dev/null"), jwt.ErrSignature},
		"kid is SQL":                      {rs.public, header("kid", "' UNION SELECT 'shared"), jwt.ErrSignature},
		"key in the token":                {rs.public, header("jwk", map[string]any{"kty": "RSA", "n": own.N.String(), "e": "AQAB"}), jwt.ErrSignature},
		"key elsewhere":                   {rs.public, header("jku", "http://127.0.0.1:1/keys"), jwt.ErrSignature},
		"critical field":                  {secret, signRaw(t, `{"alg":"HS256","crit":["b64"],"b64":false}`, `{}`, secret), jwt.ErrMalformed},
		"critical field, empty":           {secret, signRaw(t, `{"alg":"HS256","crit":[]}`, `{}`, secret), jwt.ErrMalformed},
		"algorithm twice":                 {secret, signRaw(t, `{"alg":"none","alg":"HS256"}`, `{}`, secret), jwt.ErrMalformed},
		"algorithm twice, once escaped":   {secret, signRaw(t, `{"alg":"none","\u0061lg":"HS256"}`, `{}`, secret), jwt.ErrMalformed},
		"header with more behind":         {secret, signRaw(t, `{"alg":"HS256"}{"alg":"none"}`, `{}`, secret), jwt.ErrMalformed},
		"header is a list":                {secret, signRaw(t, `["alg"]`, `{}`, secret), jwt.ErrMalformed},
		"header segment twice":            {secret, pieces[0] + "." + good, jwt.ErrMalformed},
		"five pieces":                     {secret, good + ".a.b", jwt.ErrMalformed},
		"two pieces":                      {secret, pieces[0] + "." + pieces[1], jwt.ErrMalformed},
		"signature cut":                   {secret, good[:len(good)-4], jwt.ErrSignature},
		"signature of nothing":            {secret, pieces[0] + "." + pieces[1] + ".", jwt.ErrMalformed},
		"payload changed":                 {secret, pieces[0] + "." + encode(`{"sub":"k2"}`) + "." + pieces[2], jwt.ErrSignature},
		"padding":                         {secret, good + "=", jwt.ErrMalformed},
		"line break":                      {secret, pieces[0] + ".\n" + pieces[1] + "." + pieces[2], jwt.ErrMalformed},
		"blank":                           {secret, " " + good, jwt.ErrMalformed},
		"huge":                            {secret, good + strings.Repeat("A", jwt.MaxLength), jwt.ErrMalformed},
		"huge header":                     {secret, strings.Repeat("A", jwt.MaxLength), jwt.ErrMalformed},
		"dots":                            {secret, strings.Repeat(".", 1000), jwt.ErrMalformed},
		"deep header":                     {secret, signRaw(t, `{"alg":"HS256","x":`+strings.Repeat("[", 5000)+`}`, `{}`, secret), jwt.ErrMalformed},
		"second spelling of a signature":  {secret, respell(good), jwt.ErrMalformed},
		"empty":                           {secret, "", jwt.ErrMalformed},
		"URL-unsafe alphabet":             {secret, pieces[0] + "+/" + "." + pieces[1] + "." + pieces[2], jwt.ErrMalformed},
		"a signature for another payload": {secret, signRaw(t, `{"alg":"HS256"}`, `{}`, []byte("sharec")), jwt.ErrSignature},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if token, err := newVerifier(t, jwt.Options{Key: tt.key}).Verify(tt.token, now); !errors.Is(err, tt.want) || token != nil {
				t.Errorf("Verify = %v, %v, want %v", token, err, tt.want)
			}
			all := jwt.Options{Key: tt.key, Algorithms: []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512"}}
			if token, err := newVerifier(t, all).Verify(tt.token, now); err == nil || token != nil {
				t.Errorf("with every algorithm listed: %v, %v", token, err)
			}
		})
	}
}

// respell changes bits of the last character that no byte of the signature holds.
func respell(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	at := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[at^1])
}

func TestNewRefusesKeys(t *testing.T) {
	t.Parallel()
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	short := x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(3), 510), E: 65537})
	tests := map[string]struct {
		key        []byte
		algorithms []string
		want       string
	}{
		"empty":             {nil, nil, "anybody could sign"},
		"line breaks lost":  {[]byte("-----BEGIN PUBLIC KEY----- MII= -----END PUBLIC KEY-----"), nil, "line breaks"},
		"broken":            {block("PUBLIC KEY", []byte("x")), nil, "PUBLIC KEY"},
		"broken cert":       {block("CERTIFICATE", []byte("x")), nil, "CERTIFICATE"},
		"short":             {block("RSA PUBLIC KEY", short), nil, "512 bits"},
		"unknown algorithm": {[]byte("s"), []string{"EdDSA"}, "EdDSA"},
		"none":              {[]byte("s"), []string{"none"}, "none"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := jwt.New(jwt.Options{Key: tt.key, Algorithms: tt.algorithms}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New: %v, want one about %q", err, tt.want)
			}
		})
	}
}

// TestPrivateKey: with RS256 its public half verifies, without it is a secret like any text.
func TestPrivateKey(t *testing.T) {
	t.Parallel()
	private, ok := rsaPair().private.(*rsa.PrivateKey)
	if !ok {
		t.Fatal("not an RSA key")
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range [][]byte{
		pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	} {
		v := newVerifier(t, jwt.Options{Key: key, Algorithms: []string{"HS256", "RS256"}})
		if d := cmp.Diff([]string{"RS256"}, v.Algorithms()); d != "" {
			t.Error(d)
		}
		if _, err := v.Verify(sign(t, "RS256", private, peer.MapClaims{}), now); err != nil {
			t.Error(err)
		}
		if _, err := newVerifier(t, jwt.Options{Key: key}).Verify(sign(t, "HS256", key, peer.MapClaims{}), now); err != nil {
			t.Error(err)
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for i, o := range []jwt.Options{
		{Key: []byte("a")},
		{Key: []byte("b")},
		{Key: []byte("a"), Audience: "x"},
		{Key: []byte("a"), Issuer: "x"},
		{Key: []byte("a"), Audience: "x", Issuer: "x"},
		{Key: []byte("a"), Algorithms: []string{"HS256"}},
		{Key: []byte("ax")},
		{Key: rsaPair().public},
	} {
		id := newVerifier(t, o).Identity()
		if j, twice := seen[id]; twice {
			t.Errorf("options %d and %d have one identity", i, j)
		}
		seen[id] = i
	}
	again := newVerifier(t, jwt.Options{Key: []byte("a")}).Identity()
	if _, same := seen[again]; !same {
		t.Error("equal options have two identities")
	}
}
