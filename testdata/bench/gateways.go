package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"egk8s.dev/egk8s/templates"
)

const (
	chainSteps = "    - key-auth:\n" +
		"    - rate-limit: [{action: {max: 1000000000, windowMs: 60000, delayAfter: 0, delayMs: 0, rateLimitBy: '${req.user.id}'}}]\n"
	manyRoutes    = 1_000
	manyConsumers = 10_000
)

// folder writes the config folder of a row.
func (b *bench) folder(r *row) (string, error) {
	dir := filepath.Join(b.dir, r.name)
	endpoints, names := "  api: {host: '*'}", "api"
	if r.routes > 0 {
		var list, all strings.Builder
		for i := range r.routes {
			fmt.Fprintf(&list, "  item%d: {host: '*', paths: '/api/item%d/*'}\n", i, i)
			fmt.Fprintf(&all, "item%d, ", i)
		}
		endpoints, names = list.String(), strings.TrimSuffix(all.String(), ", ")
	}
	policies := []string{"proxy"}
	for _, name := range []string{"key-auth", "rate-limit", "jwt"} {
		if strings.Contains(r.steps, name+":") {
			policies = append(policies, name)
		}
	}
	err := errors.Join(
		b.fill("gateway.config.yml", filepath.Join(dir, "gateway.config.yml"), map[string]string{
			"port": r.port, "admin": r.admin, "endpoints": endpoints, "names": names, "policies": strings.Join(policies, ", "), "steps": r.steps,
		}),
		b.fill("system.config.yml", filepath.Join(dir, "system.config.yml"), nil),
	)
	return dir, err
}

// startGateway starts ours as a container does: JSON log to a file, metrics and limits on.
func (b *bench) startGateway(ctx context.Context, r *row) (*process, error) {
	if _, err := os.Stat(b.gateway); err != nil {
		return nil, missing{b.gateway + " is not there: make build"}
	}
	dir, err := b.gatewayFolder(r)
	if err != nil {
		return nil, err
	}
	args := []string{b.gateway}
	if b.profile != "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		args = []string{self, "gateway", "-profile", b.part(r)}
	}
	args = append(args, "-config-dir", dir, "-status-address", "127.0.0.1:0", "-metrics-address", "127.0.0.1:0")
	p, err := start(ctx, b.dir, r.name, r.port, []string{"EGK8S_LOG_FORMAT=json", "EGK8S_DRAIN_DELAY=0", "EG_DISABLE_CONFIG_WATCH=1"}, args...)
	if err != nil {
		return nil, err
	}
	if r.prepare != nil {
		if err := r.prepare(ctx, b, r); err != nil {
			p.stop()
			return nil, err
		}
	}
	return p, nil
}

func (b *bench) gatewayFolder(r *row) (string, error) {
	dir, err := b.folder(r)
	if err != nil {
		return "", err
	}
	for _, name := range []string{"users", "applications", "credentials"} {
		model, err := templates.FS.ReadFile("project/config/models/" + name + ".json")
		if err != nil {
			return "", err
		}
		if err := os.MkdirAll(filepath.Join(dir, "models"), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, "models", name+".json"), model, 0o600); err != nil {
			return "", err
		}
	}
	if r.consumers > 0 {
		err = consumers(dir, r.consumers)
	}
	if strings.Contains(r.steps, "jwt:") {
		err = errors.Join(err, r.sign(dir))
	}
	return dir, err
}

// consumers writes a consumers file and the setting that names it.
func consumers(dir string, n int) error {
	var users, credentials strings.Builder
	for i := range n {
		secret := sha256.Sum256(fmt.Append(nil, "secret", i))
		fmt.Fprintf(&users, "- {username: user%d, firstname: F, lastname: L}\n", i)
		fmt.Fprintf(&credentials, "- {type: key-auth, consumer: user%d, keyId: key%d, keySecretSHA256: %s}\n", i, i, hex.EncodeToString(secret[:]))
	}
	file := filepath.Join(dir, "consumers.yml")
	settings := fmt.Sprintf(`{"apiVersion": "egk8s.dev/v1alpha1", "store": {"kind": "file", "path": %q}}`, file)
	return errors.Join(
		os.WriteFile(file, []byte("users:\n"+users.String()+"credentials:\n"+credentials.String()), 0o600),
		os.WriteFile(filepath.Join(dir, "egk8s.settings.json"), []byte(settings), 0o600),
	)
}

// sign makes the row's key pair, writes the public key beside its config, and the token into its header.
func (r *row) sign(dir string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`))
	claims := fmt.Sprintf(`{"sub":"bench","iat":%d,"exp":%d}`, time.Now().Unix(), time.Now().Add(time.Hour).Unix())
	text := head + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return err
	}
	r.header = "Authorization: Bearer " + text + "." + base64.RawURLEncoding.EncodeToString(signature)
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	file := filepath.Join(dir, "public.pem")
	config := filepath.Join(dir, "gateway.config.yml")
	written, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(file, block, 0o600),
		os.WriteFile(config, bytes.ReplaceAll(written, []byte("{{public}}"), []byte(file)), 0o600),
	)
}

// createKey makes a user with an API key by the Admin API, the same for Express Gateway and ours.
func createKey(ctx context.Context, _ *bench, r *row) error {
	if _, err := r.post(ctx, "/users", map[string]any{"username": "bench", "firstname": "B", "lastname": "N"}); err != nil {
		return err
	}
	made, err := r.post(ctx, "/credentials", map[string]any{"consumerId": "bench", "type": "key-auth", "credential": map[string]any{}})
	r.header = fmt.Sprintf("Authorization: apiKey %v:%v", made["keyId"], made["keySecret"])
	return err
}

// createToken makes a user with the credential that the row's token names.
func createToken(ctx context.Context, _ *bench, r *row) error {
	if _, err := r.post(ctx, "/users", map[string]any{"username": "bench", "firstname": "B", "lastname": "N"}); err != nil {
		return err
	}
	_, err := r.post(ctx, "/credentials", map[string]any{"consumerId": "bench", "type": "jwt", "credential": map[string]any{"keyId": "bench"}})
	return err
}

func (r *row) post(ctx context.Context, path string, body any) (map[string]any, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	for range 50 { // the Admin API opens a moment behind the gateway
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:"+r.admin+path, bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		defer resp.Body.Close()
		answer, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("POST %s: %d %s", path, resp.StatusCode, answer)
		}
		return out, json.Unmarshal(answer, &out)
	}
	return nil, errors.New("the Admin API does not answer")
}
