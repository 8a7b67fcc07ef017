package policy_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	peer "github.com/golang-jwt/jwt/v5"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
	"egk8s.dev/egk8s/gateway/store/file"
)

// newBenchService serves n consumers from a file, each with a key, a token's credential and a password.
func newBenchService(b *testing.B, n int) *consumer.Service {
	b.Helper()
	hash, err := consumer.HashPassword("secret", 4)
	if err != nil {
		b.Fatal(err)
	}
	var users, credentials strings.Builder
	sum := fmt.Sprintf("%x", consumer.HashSecret("secret"))
	for i := range n {
		name := "user" + strconv.Itoa(i)
		fmt.Fprintf(&users, "- {username: %s, firstname: F, lastname: L}\n", name)
		fmt.Fprintf(&credentials, "- {type: key-auth, consumer: %s, keyId: key%d, keySecretSHA256: %s, scopes: [read]}\n", name, i, sum)
		fmt.Fprintf(&credentials, "- {type: jwt, consumer: %s, keyId: jwt%d}\n", name, i)
		fmt.Fprintf(&credentials, "- {type: basic-auth, consumer: %s, passwordBcrypt: %s}\n", name, hash)
	}
	path := filepath.Join(b.TempDir(), "consumers.yml")
	text := "users:\n" + users.String() + "credentials:\n" + credentials.String() + "scopes: [read]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	store, err := file.Open(b.Context(), file.Options{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	service, err := consumer.New(store, consumer.Options{BcryptCost: 4})
	if err != nil {
		b.Fatal(err)
	}
	return service
}

func benchPolicy(b *testing.B, name string, action map[string]any, service *consumer.Service, header []string) {
	b.Helper()
	env := &policy.Environment{Keys: service, Consumers: service, Log: slog.New(slog.DiscardHandler)}
	p, problems := policy.New(stepOf(name, action), env)
	if err := problems.Err(); err != nil {
		b.Fatal(err)
	}
	x, _ := exchange("GET", "/", nil)
	x.Endpoint.Scopes = nil
	h := x.Request.Header.Map()
	values := make([][]string, len(header))
	for i := range header {
		values[i] = []string{header[i]}
	}
	ask := func(i int) {
		h["Authorization"] = values[i%len(values)]
		x.Request.Consumer = nil
		if v, err := p.Apply(b.Context(), x); v != message.Continue || err != nil || x.Request.Consumer == nil {
			b.Fatalf("refused: %v, %v", v, err)
		}
	}
	for i := range values {
		ask(i)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		ask(i)
		i++
	}
}

// BenchmarkKeyAuth must cost the same for ten consumers and for ten thousand.
func BenchmarkKeyAuth(b *testing.B) {
	for _, n := range []int{10, 10000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			keys := make([]string, 64)
			for i := range keys {
				keys[i] = "apiKey key" + strconv.Itoa(i*(n-1)/len(keys)) + ":secret"
			}
			action := map[string]any{"apiKeyHeader": "Authorization", "apiKeyHeaderScheme": "apiKey", "apiKeyField": "apiKey"}
			benchPolicy(b, "key-auth", action, newBenchService(b, n), keys)
		})
	}
}

// BenchmarkBasicAuth is what a password costs that is remembered.
func BenchmarkBasicAuth(b *testing.B) {
	benchPolicy(b, "basic-auth", nil, newBenchService(b, 10), []string{basic("user1:secret")})
}

// BenchmarkJWT is what a token costs that is remembered; jwt.BenchmarkVerify tells what one costs that is not.
func BenchmarkJWT(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	sign := func(n int) string {
		text, err := peer.NewWithClaims(peer.SigningMethodRS256, peer.MapClaims{
			"sub": "jwt1", "exp": 4102444800, "iss": "https://issuer.example", "aud": "api", "n": n,
		}).SignedString(key)
		if err != nil {
			b.Fatal(err)
		}
		return "Bearer " + text
	}
	action := map[string]any{
		"secretOrPublicKey": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"jwtExtractor":      "authBearer", "checkCredentialExistence": true,
	}
	service := newBenchService(b, 10)
	b.Run("RS256/warm", func(b *testing.B) { benchPolicy(b, "jwt", action, service, []string{sign(0)}) })
}
