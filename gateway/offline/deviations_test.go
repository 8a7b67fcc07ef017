package offline_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/deviation"
	"egk8s.dev/egk8s/gateway/offline"
)

// touched lists the deviations of a gateway file by ID, each with its places.
func touched(t *testing.T, gateway string) map[string][]string {
	t.Helper()
	list, err := offline.Deviations(newTestFolder(t, "-- gateway.config.yml --\n"+gateway))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, d := range list {
		if d.Notice == "" {
			t.Errorf("%s is found in files and has no notice", d.ID)
		}
		for _, at := range d.At {
			out[d.ID] = append(out[d.ID], at.String())
		}
	}
	return out
}

// TestEveryNoticeIsFound holds that no deviation says something to the owner of files without being looked for.
func TestEveryNoticeIsFound(t *testing.T) {
	t.Parallel()
	dir := newTestFolder(t, `
-- system.config.yml --
db: {redis: {emulate: true}}
accessTokens: {tokenType: jwt}
session: {storeProvider: connect-redis}
-- gateway.config.yml --
http: {port: 8080}
https: {port: 8443, tls: {default: {cert: a.crt, key: a.key}}}
apiEndpoints: {a: {pathRegex: ^/x, scopes: [s]}}
serviceEndpoints: {s: {urls: ['http://a.test', 'http://b.test']}}
policies: [proxy, rate-limit, jwt, response-transformer, request-transformer, terminate]
pipelines:
  p:
    apiEndpoints: [a]
    policies:
    - jwt: [{action: {secretOrPublicKey: s, checkCredentialExistence: false}}]
    - rate-limit:
    - response-transformer: [{action: {body: {remove: [a]}}}]
    - request-transformer: [{action: {headers: {add: {Content-Length: "'1'"}}}}]
    - terminate: [{condition: {name: json-schema, schema: {$id: 'http://s.test', type: object}}}]
    - proxy: [{action: {serviceEndpoint: s, hostRewrite: a, followRedirects: true, stripPath: true, ws: true}}]
`)
	list, err := offline.Deviations(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, d := range list {
		found[d.ID] = true
	}
	for _, d := range deviation.All() {
		if d.Notice != "" && !found[d.ID] {
			t.Errorf("%s has a notice and is not found", d.ID)
		}
	}
}

func TestDeviations(t *testing.T) {
	t.Parallel()
	const head = `
http: {port: 8080}
apiEndpoints: {api: {paths: /a}, re: {pathRegex: ^/x}}
serviceEndpoints: {s: {url: 'http://s.test'}, r: {url: 'http://r.test', proxyOptions: {followRedirects: true}}}
policies: [proxy, rate-limit, key-auth, jwt, terminate]
pipelines:
`
	tests := []struct {
		name, pipelines string
		want            map[string][]string
	}{
		{"nothing", `
  p: {apiEndpoints: [api], policies: [{key-auth: }, {proxy: [{action: {serviceEndpoint: s, stripPath: true}}]}]}`, map[string][]string{}},
		{"consumer-header: nobody authenticates", `
  p:
    apiEndpoints: [api]
    policies:
    - proxy: [{action: {serviceEndpoint: s}}]
  q:
    apiEndpoints: [re]
    policies:
    - key-auth: [{action: {passThrough: true}}]
    - proxy: [{action: {serviceEndpoint: s}}]`, map[string][]string{
			"consumer-header": {"gateway.config.yml:10:15", "gateway.config.yml:15:15"},
		}},
		{"rate-limit without and with delays", `
  p:
    apiEndpoints: [api]
    policies:
    - rate-limit: [{action: {max: 10}}, {action: {delayAfter: 3}}]
    - rate-limit: {action: {delayMs: 3}}
    - rate-limit:
    - terminate:`, map[string][]string{"rate-limit-delay": {"gateway.config.yml:10:20", "gateway.config.yml:12:7"}}},
		{"options of the proxy, wherever they stand", `
  p:
    apiEndpoints: [re]
    policies:
    - key-auth:
    - proxy: [{action: {serviceEndpoint: r, stripPath: true}}]
    - proxy: [{action: {serviceEndpoint: s, hostRewrite: a.test, proxyOptions: {ws: true}}}]`, map[string][]string{
			"follow-redirects": {"gateway.config.yml:11:15"}, "strip-path-regex": {"gateway.config.yml:11:15"},
			"redirect-rewrite": {"gateway.config.yml:12:15"}, "websocket": {"gateway.config.yml:12:15"},
		}},
		{"json-schema, nested too", `
  p:
    apiEndpoints: [api]
    policies:
    - terminate: [{condition: {name: not, condition: {name: json-schema, schema: {$id: 'http://s.test', type: object}}}}]`, map[string][]string{
			"json-schema-order": {"gateway.config.yml:10:19"},
		}},
		{"a file that is wrong is looked at as far as it can be read", `
  p:
    apiEndpoints: [api]
    policies:
    - no-such:
    - rate-limit:`, map[string][]string{"rate-limit-delay": {"gateway.config.yml:11:7"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, touched(t, head[1:]+tt.pipelines)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
