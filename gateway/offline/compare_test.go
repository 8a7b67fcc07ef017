package offline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/offline"
)

// newTestSide is a configuration with Express Gateway's own models.
func newTestSide(t *testing.T, gateway string) offline.Side {
	t.Helper()
	files := map[string][]byte{
		"gateway.config.yml": []byte(gateway), "system.config.yml": []byte("db: {redis: {emulate: true}}\n"),
	}
	for _, name := range []string{"users", "applications", "credentials"} {
		text, err := os.ReadFile(filepath.Join("..", "consumer", "models", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		files["models/"+name+".json"] = text
	}
	return offline.Side{Files: files}
}

// market is the configuration that the cases change.
const market = `
http: {port: 8080}
apiEndpoints:
  orders: {host: '*', paths: ['/orders', '/orders/*'], methods: 'GET,POST', scopes: [buy]}
  admin: {host: admin.shop.test, paths: '/admin/:id?'}
  hello: {host: '*', paths: '/hello'}
serviceEndpoints:
  orders: {url: 'http://orders:3000'}
  admin: {url: 'http://admin:3001'}
policies: [key-auth, basic-auth, jwt, rate-limit, proxy, terminate, log, cors]
pipelines:
  orders:
    apiEndpoints: [orders]
    policies:
      - log: [{action: {message: 'order'}}]
      - key-auth: [{action: {}}]
      - rate-limit: [{action: {max: 10, windowMs: 60000}}]
      - proxy: [{action: {serviceEndpoint: orders, changeOrigin: true}}]
  admin:
    apiEndpoints: [admin]
    policies:
      - jwt: [{action: {secretOrPublicKey: secret, audience: shop}}]
      - proxy: [{action: {serviceEndpoint: admin}}]
  hello:
    apiEndpoints: [hello]
    policies:
      - terminate: [{action: {statusCode: 200, message: hello}}]
`

// replace changes the shop; every pair must be found.
func replace(t *testing.T, pairs ...string) string {
	t.Helper()
	out := market
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(out, pairs[i]) {
			t.Fatalf("the shop has no %q", pairs[i])
		}
		out = strings.Replace(out, pairs[i], pairs[i+1], 1)
	}
	return out
}

// TestCompare: changes of a configuration and the verdicts on them; the first word is the class.
func TestCompare(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change []string
		want   []string
	}{
		"nothing": {nil, nil},
		"authentication taken out": {
			[]string{"      - key-auth: [{action: {}}]\n", ""},
			[]string{"breaking made-public GET /orders loses key-auth: anybody can call it"},
		},
		"authentication behind the answer": {
			[]string{"      - key-auth: [{action: {}}]\n", "", "changeOrigin: true}}]\n", "changeOrigin: true}}]\n      - key-auth: [{action: {}}]\n"},
			[]string{"breaking made-public GET /orders loses key-auth: anybody can call it"},
		},
		"authentication that lets pass": {
			[]string{"key-auth: [{action: {}}]", "key-auth: [{action: {passThrough: true}}]"},
			[]string{"breaking made-public GET /orders loses key-auth: anybody can call it", "review policy-added GET /orders meets a key-auth now"},
		},
		"authentication under a condition": {
			[]string{"key-auth: [{action: {}}]", "key-auth: [{condition: {name: method, methods: [POST]}, action: {}}]"},
			[]string{"breaking auth-lost GET /orders loses key-auth; key-auth is left", "review newly-protected GET /orders is guarded by key-auth now"},
		},
		"a way around authentication": {
			[]string{"      - log: [{action: {message: 'order'}}]\n", "      - proxy: [{condition: {name: method, methods: [GET]}, action: {serviceEndpoint: orders}}]\n"},
			[]string{
				"breaking made-public GET /orders loses key-auth: anybody can call it",
				"review upstream-added GET /orders meets a proxy now under a condition",
				"safe log-removed GET /orders meets no log any more",
			},
		},
		"another authentication": {
			[]string{"key-auth: [{action: {}}]", "basic-auth: [{action: {}}]"},
			[]string{"breaking auth-lost GET /orders loses key-auth; basic-auth is left", "review newly-protected GET /orders is guarded by basic-auth now"},
		},
		"more authentication": {
			[]string{"      - terminate", "      - key-auth: [{action: {}}]\n      - terminate"},
			[]string{"review newly-protected GET /hello is guarded by key-auth now"},
		},
		"a scope less": {
			[]string{", scopes: [buy]", ""},
			[]string{`breaking scope-lost GET /orders needs the scope "buy" no more`},
		},
		"a scope more": {
			[]string{"scopes: [buy]", "scopes: [buy, sell]"},
			[]string{`review scope-added GET /orders needs the scope "sell" now`},
		},
		"tokens of everybody": {
			[]string{"secretOrPublicKey: secret, audience: shop", "secretOrPublicKey: secret, checkCredentialExistence: false"},
			[]string{
				"breaking auth-weakened GET admin.shop.test/admin accepts tokens of every audience",
				"breaking auth-weakened GET admin.shop.test/admin accepts tokens of unknown consumers",
				"review auth-settings GET admin.shop.test/admin has other settings of jwt",
			},
		},
		"a route gone": {
			[]string{"  hello: {host: '*', paths: '/hello'}\n", "", "apiEndpoints: [hello]", "apiEndpoints: []"},
			[]string{"breaking route-removed GET /hello is not served any more"},
		},
		"a method gone": {
			[]string{"methods: 'GET,POST'", "methods: GET"},
			[]string{
				"breaking route-removed POST /orders is not served any more",
				`safe answer-changed OPTIONS /orders is answered by 200 Allow: GET,HEAD instead of 200 Allow: GET,HEAD,POST`,
			},
		},
		"a route opened": {
			[]string{"paths: '/hello'", "paths: ['/hello', '/free']"},
			[]string{"review route-added GET /free is new and open to everybody"},
		},
		"a guarded route": {
			[]string{"'/orders/*'", "'/orders/*', '/baskets'"},
			[]string{"safe answer-changed OPTIONS /baskets is answered by 200 Allow: GET,HEAD,POST instead of 404", "safe route-added GET /baskets is new, guarded by key-auth"},
		},
		"shadowed by an open route": {
			[]string{"  orders: {host: '*', paths: ['/orders'", "  first: {host: '*', paths: '/orders/free'}\n  orders: {host: '*', paths: ['/orders'", "apiEndpoints: [hello]", "apiEndpoints: [hello, first]"},
			[]string{
				"breaking made-public GET /orders/free loses key-auth: anybody can call it",
				"review answer-added GET /orders/free meets a terminate now", "review limit-removed GET /orders/free meets no rate-limit any more",
				"review route-added DELETE /orders/free is new and open to everybody", "review upstream-removed GET /orders/free meets no proxy any more",
				"safe log-removed GET /orders/free meets no log any more",
			},
		},
		"another limit": {
			[]string{"max: 10, windowMs: 60000", "max: 100, windowMs: 1000"},
			[]string{"review limit-changed GET /orders may be called 100 times in 1s instead of 10 times in 60s"},
		},
		"no limit": {
			[]string{"      - rate-limit: [{action: {max: 10, windowMs: 60000}}]\n", ""},
			[]string{"review limit-removed GET /orders meets no rate-limit any more"},
		},
		"another upstream": {
			[]string{"http://orders:3000", "http://u:planted@orders-v2:3000"},
			[]string{"review upstream-changed GET /orders goes to http://u:xxxxx@orders-v2:3000 instead of http://orders:3000"},
		},
		"another answer": {
			[]string{"statusCode: 200", "statusCode: 503"},
			[]string{"review answer-changed GET /hello is answered by 503 instead of 200"},
		},
		"another log line": {
			[]string{"message: 'order'", "message: 'orders'"},
			[]string{"safe log-changed GET /orders has other settings of log"},
		},
		"an authorization server": {
			[]string{"policies: [key-auth,", "policies: [oauth2, key-auth,"},
			[]string{"review oauth2-server-added POST /oauth2/token is answered by the gateway's own authorization server now, as are /login, /logout and /oauth2/authorize"},
		},
		"the limit before the key": {
			[]string{"      - key-auth: [{action: {}}]\n      - rate-limit: [{action: {max: 10, windowMs: 60000}}]\n", "      - rate-limit: [{action: {max: 10, windowMs: 60000}}]\n      - key-auth: [{action: {}}]\n"},
			[]string{"review auth-order GET /orders meets its authentication at another place"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changes, problems, err := offline.Compare(newTestSide(t, market), newTestSide(t, replace(t, test.change...)))
			if err != nil || len(problems) > 0 {
				t.Fatal(err, problems)
			}
			var got []string
			for _, c := range changes {
				got = append(got, string(c.Class)+" "+c.Code+" "+c.Message)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestCompareSame: what is written otherwise and means the same is no change.
func TestCompareSame(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"a comment":             {"http:", "# a shop\nhttp:"},
		"names":                 {"  orders:\n    apiEndpoints: [orders]", "  buying:\n    apiEndpoints: [orders]"},
		"a synonym":             {"paths: '/hello'", "path: '/hello'"},
		"a list of one":         {"paths: '/hello'", "paths: ['/hello']"},
		"the host left out":     {"hello: {host: '*', paths: '/hello'}", "hello: {paths: '/hello'}"},
		"methods as a list":     {"methods: 'GET,POST'", "methods: [GET, POST]"},
		"a default written":     {"secretOrPublicKey: secret", "secretOrPublicKey: secret, checkCredentialExistence: true"},
		"the shorthand":         {"key-auth: [{action: {}}]", "key-auth:"},
		"an object for a list":  {"key-auth: [{action: {}}]", "key-auth: {action: {}}"},
		"always":                {"key-auth: [{action: {}}]", "key-auth: [{condition: {name: always}, action: {}}]"},
		"a step that never is":  {"      - log: [{action: {message: 'order'}}]\n", "      - log: [{action: {message: 'order'}}]\n      - terminate: [{condition: {name: never}, action: {}}]\n"},
		"behind the answer":     {"changeOrigin: true}}]\n", "changeOrigin: true}}]\n      - terminate: [{action: {}}]\n"},
		"options of the action": {"serviceEndpoint: orders, changeOrigin: true", "serviceEndpoint: orders"},
		"options of a service":  {"orders: {url: 'http://orders:3000'}", "orders: {url: 'http://orders:3000', proxyOptions: {changeOrigin: true}}"},
		"urls of one":           {"orders: {url: 'http://orders:3000'}", "orders: {urls: ['http://orders:3000']}"},
		"a slash at the end":    {"http://orders:3000", "http://orders:3000/"},
		"another service name":  {"  orders: {url: 'http://orders:3000'}", "  buying: {url: 'http://orders:3000'}", "serviceEndpoint: orders", "serviceEndpoint: buying"},
		"endpoints apart":       {"  hello: {host: '*', paths: '/hello'}\n", "", "apiEndpoints:\n", "apiEndpoints:\n  hello: {host: '*', paths: '/hello'}\n"},
		"an anchor":             {"action: {max: 10, windowMs: 60000}", "action: &limit {max: 10, windowMs: 60000}"},
		"a number as text":      {"statusCode: 200", "statusCode: '200'"},
		"another port":          {"port: 8080", "port: 9090"},
		"one more whitelisted":  {"policies: [key-auth,", "policies: [expression, key-auth,"},
		"an unused service":     {"serviceEndpoints:\n", "serviceEndpoints:\n  unused: {url: 'http://unused:1'}\n"},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changes, problems, err := offline.Compare(newTestSide(t, market), newTestSide(t, replace(t, change...)))
			if err != nil || len(problems) > 0 || len(changes) > 0 {
				t.Error(err, problems, changes)
			}
		})
	}
}

// TestCompareAuthorizationServer: without it nobody gets a token any more.
func TestCompareAuthorizationServer(t *testing.T) {
	t.Parallel()
	with := replace(t, "policies: [key-auth,", "policies: [oauth2, key-auth,")
	changes, problems, err := offline.Compare(newTestSide(t, with), newTestSide(t, market))
	if err != nil || len(problems) > 0 || len(changes) != 1 || changes[0].Class != offline.Breaking || changes[0].Code != "oauth2-server-removed" {
		t.Errorf("%v %v %+v; want one breaking change", err, problems, changes)
	}
}
