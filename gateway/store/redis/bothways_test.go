package redis_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"egk8s.dev/egk8s/gateway/store/redis/redistest"
)

// TestTakeOverBothWays lets Express Gateway itself fill a Redis, takes it over, and lets Express Gateway say what it makes
// of what we wrote. EG_DIR is a folder where npm installed express-gateway.
func TestTakeOverBothWays(t *testing.T) {
	t.Parallel()
	installed := os.Getenv("EG_DIR")
	if installed == "" {
		t.Skip("EG_DIR names no folder with Express Gateway (npm install express-gateway@1.16.11)")
	}
	if _, err := os.Stat(filepath.Join(installed, "node_modules", "express-gateway")); err != nil {
		t.Fatalf("EG_DIR: %v", err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	server, dir := redistest.Start(t), t.TempDir()
	newTestProject(t, installed, dir, server.Socket)
	var d dump
	expressGateway(t, installed, dir, "write", &d.Facts)
	takeOver(t, server, d, dir)
	var verdicts map[string]bool
	expressGateway(t, installed, dir, "read", &verdicts)
	if len(verdicts) != 11 {
		t.Errorf("%d verdicts: %v", len(verdicts), verdicts)
	}
	for what, right := range verdicts {
		if !right {
			t.Errorf("Express Gateway does not find it as it should be: %s", what)
		}
	}
}

// newTestProject writes a configuration of Express Gateway on a Redis.
func newTestProject(t *testing.T, installed, dir, socket string) {
	t.Helper()
	models := filepath.Join(installed, "node_modules", "express-gateway", "lib", "config", "models")
	if err := os.CopyFS(filepath.Join(dir, "config", "models"), os.DirFS(models)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"system.config.yml": fmt.Sprintf("db: {redis: {path: %q, namespace: EG}}\n", socket) +
			"crypto: {cipherKey: sensitiveKey, algorithm: aes256, saltRounds: 4}\naccessTokens: {timeToExpiry: 7200000}\n",
		"gateway.config.yml": "http: {port: 0}\npolicies: []\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, "config", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// expressGateway runs its services and reads what they say.
func expressGateway(t *testing.T, installed, dir, what string, into any) {
	t.Helper()
	script, err := filepath.Abs("testdata/express-gateway.js")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script, what)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "EG_DIR="+installed, "EG_CONFIG_DIR="+filepath.Join(dir, "config"))
	out, err := cmd.CombinedOutput()
	_, result, found := bytes.Cut(out, []byte("RESULT "))
	if err != nil || !found {
		t.Fatalf("Express Gateway, %s: %v\n%s", what, err, out)
	}
	if err := json.Unmarshal(bytes.TrimSpace(result), into); err != nil {
		t.Fatalf("Express Gateway, %s: %v\n%s", what, err, out)
	}
}
