//go:build unix

package main

import (
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/creack/pty"

	"egk8s.dev/egk8s/gateway/admin"
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/memory"
)

// TestSecretOnATerminal: on a terminal the secret of a new key is shown, as the client will write it.
func TestSecretOnATerminal(t *testing.T) {
	t.Parallel()
	service, err := consumer.New(memory.New(), consumer.Options{BcryptCost: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.CreateUser(t.Context(), map[string]any{"username": "alice", "firstname": "A", "lastname": "L"}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(admin.New(admin.Options{
		Consumers: service, Tokens: consumer.NewTokens(service, memory.NewTokens(0), consumer.TokenLife{}),
		Config: func() *config.Config { return &config.Config{} },
	}))
	t.Cleanup(server.Close)
	s := newTestScreen(t, &pty.Winsize{Rows: 24, Cols: 100}, []string{"EGK8S_ADMIN_URL=" + server.URL, "NO_COLOR=1"},
		"credentials", "create", "-c", "alice", "-t", "key-auth", "--key-id", "k9")
	if code := s.wait(t, 30*time.Second); code != 0 {
		t.Fatalf("exit code %d\n%s", code, s.text())
	}
	if found := regexp.MustCompile(`Authorization: apiKey k9:(\w{22})\r`).FindStringSubmatch(s.text()); found == nil {
		t.Errorf("no key as a client writes it in\n%s", s.text())
	} else if _, _, err := service.AuthenticateKey(t.Context(), "k9", found[1]); err != nil {
		t.Errorf("the key that is shown: %v", err)
	}
}
