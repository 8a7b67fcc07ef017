package offline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/offline"
)

const planted = `
-- gateway.config.yml --
http: {port: '${HTTP_PORT:-80}'}
admin: {port: 9876}
# ${COMMENTED} out
apiEndpoints: {api: {paths: /a}, web: {paths: /w}}
serviceEndpoints:
  here: {url: 'http://localhost:3000'}
  six: {url: 'http://[::1]:3000'}
  any: {url: 'http://0.0.0.0:3000'}
  unused: {url: 'http://127.0.0.1:3001'}
  admin: {url: 'http://localhost:9876'}
  far: {url: 'https://user:hunter2@far.test/'}
policies: [jwt, basic-auth, proxy, request-transformer]
pipelines:
  p:
    apiEndpoints: [api]
    policies:
      - jwt: {action: {secretOrPublicKey: "plain secret"}}
      - request-transformer: {action: {headers: {add: {token: req.headers.x}}}}
      - proxy: {action: {serviceEndpoint: here}}
  q:
    apiEndpoints: [web]
    policies:
      - jwt: {action: {secretOrPublicKey: '${JWT_SECRET}'}}
      - proxy: [{action: {serviceEndpoint: six}}, {action: {serviceEndpoint: any}}, {action: {serviceEndpoint: far}}, {action: {serviceEndpoint: admin}}]
-- system.config.yml --
db: {redis: {emulate: true, password: a-word}}
session: {secret: ${SESSION_SECRET}}
crypto:
  cipherKey: |
    on its own line
`

func TestScan(t *testing.T) {
	t.Parallel()
	dir := newTestFolder(t, planted)
	variables, secrets := offline.Scan(dir)
	var names []string
	for _, v := range variables {
		names = append(names, fmt.Sprintf("%s %q %s", v.Name, v.Fallback, v.Pos))
	}
	want := []string{
		`HTTP_PORT "80" gateway.config.yml:1:15`, `JWT_SECRET "" gateway.config.yml:23:44`,
		`SESSION_SECRET "" system.config.yml:2:19`,
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	var found []string
	for _, s := range secrets {
		text, err := os.ReadFile(filepath.Join(dir, s.Pos.File))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(text[s.Start:s.End]); got != s.Text {
			t.Errorf("%s: bytes %q, text %q", s.Key, got, s.Text)
		}
		found = append(found, fmt.Sprintf("%s %s %q", s.Key, s.Pos, s.Text))
	}
	want = []string{
		`serviceEndpoints.far.url gateway.config.yml:11:14 "https://user:hunter2@far.test/"`,
		`pipelines.p.policies.0.jwt.action.secretOrPublicKey gateway.config.yml:17:43 "plain secret"`,
		`db.redis.password system.config.yml:1:39 "a-word"`,
		`crypto.cipherKey system.config.yml:4:14 ""`,
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

func TestLocalUpstreamsAndInlineSecrets(t *testing.T) {
	t.Parallel()
	dir := newTestFolder(t, planted)
	codes := func(opts offline.Options) []string {
		var list []string
		for _, p := range check(t, dir, opts).Problems {
			if p.Code == "localhost-upstream" || p.Code == "inline-secret" {
				list = append(list, fmt.Sprintf("%s %s %s", p.Severity, p.Code, p.Position))
			}
		}
		return list
	}
	want := []string{
		"error localhost-upstream gateway.config.yml:6:3", "error localhost-upstream gateway.config.yml:7:3",
		"error localhost-upstream gateway.config.yml:8:3",
		"warning inline-secret gateway.config.yml:11:14", "warning inline-secret gateway.config.yml:17:43",
	}
	if diff := cmp.Diff(want, codes(offline.Options{Pod: true})); diff != "" {
		t.Errorf("in a pod (-want +got):\n%s", diff)
	}
	here := map[string]string{"here": "http://here.shop.svc:80"}
	if diff := cmp.Diff(want[1:], codes(offline.Options{Pod: true, Settings: offline.Settings{Upstreams: here}})); diff != "" {
		t.Errorf("with an address in the cluster (-want +got):\n%s", diff)
	}
	if got := codes(offline.Options{}); got != nil {
		t.Errorf("on this machine: %v", got)
	}
}
