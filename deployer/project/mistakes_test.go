package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
)

// top begins an egk8s.yaml; what follows stands from line 4 on.
const top = "apiVersion: egk8s.dev/v1alpha1\nkind: Gateway\nmetadata: {name: shop, namespace: web}\n"

// rest ends a gateway.config.yml: what a case says of listeners and services stands before it.
const rest = `apiEndpoints: {api: {paths: /a}}
policies: [proxy, jwt]
pipelines:
  api:
    apiEndpoints: [api]
    policies: [{proxy: {action: {serviceEndpoint: s}}}]
`

const listens = "http: {port: 8080}\n"

const serves = "serviceEndpoints: {s: {url: 'http://s.web.svc:80'}}\n"

// TestMistakes holds that what people get wrong is refused before anything is applied, with the place and a fix.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, project, config, consumers, at, says, fix string }{
		{name: "nothing wrong"},
		{"key misspelt", "spec:\n  replicsa: 3\n", "", "", "egk8s.yaml:5:3", `unknown key "replicsa"`, "replicas"},
		{"wrong type", "spec:\n  drain: 5\n", "", "", "egk8s.yaml:5:10", "spec.drain must be a mapping", "a number"},
		{"key twice", "spec:\n  store: file\n  store: memory\n", "", "", "egk8s.yaml:6:3", `key "store" stands twice`, "line 5"},
		{"no config folder", "spec:\n  config: {dir: conf}\n", "", "", "conf", "does not exist", "spec.config.dir"},
		{"missing file", "", listens + "serviceEndpoints: {s: {url: 'https://s.test', proxyOptions: {target: {caFile: certs/ca.pem}}}}\n" + rest, "", "config/gateway.config.yml:2:20", "certs/ca.pem, which is not in the config folder", "spec.files"},
		{"missing certificate", "", "https: {port: 8443, tls: {default: {key: k.pem, cert: c.pem}}}\n" + serves + rest, "", "config/gateway.config.yml:1:27", "k.pem, which is not in the config folder", "Secret"},
		{"variable of a URL", "", listens + "serviceEndpoints: {s: {url: 'http://${BACKEND'}}\n" + rest, "", "config/gateway.config.yml:2", "not a URL that can be called", "http://host:port/path"},
		{"variable without a value", "", listens + "serviceEndpoints: {s: {url: '${BACKEND}'}}\n" + rest, "", "config/gateway.config.yml:2", "must be a URL", "${BACKEND:-value}"},
		{"Secret without a key", "spec:\n  secretEnv: {JWT: {secret: tokens}}\n", "", "", "egk8s.yaml:5", "the key of the Secret is missing", "add key: NAME"},
		{"no name of a Secret", "spec:\n  tls: {default: {secret: API_TLS}}\n", "https: {port: 8443}\n" + serves + rest, "", "egk8s.yaml:5", `"API_TLS" cannot be the name of a Secret`, ""},
		{"variable in two places", "spec:\n  env: {A: b}\n  secretEnv: {A: {secret: s, key: k}}\n", "", "", "egk8s.yaml:6", "stands in env and in secretEnv", "keep one"},
		{"variable of egk8s", "spec:\n  env: {EG_CONFIG_DIR: /x}\n", "", "", "egk8s.yaml:5", "set by egk8s", "leave it out"},
		{"ports clash", "", "http: {port: 8080}\nhttps: {port: 8080, tls: {}}\n" + serves + rest, "", "egk8s.yaml", "both be at port 8080", "spec.service.httpsPort"},
		{"service ports clash", "spec:\n  service: {port: 80, httpsPort: 80}\n", "", "", "egk8s.yaml:5", "cannot share port 80", ""},
		{"localhost in a pod", "", listens + "serviceEndpoints: {s: {url: 'http://localhost:3000'}}\n" + rest, "", "config/gateway.config.yml:2:20", "in a pod is the gateway itself", "spec.upstreams"},
		{"localhost as upstream", "spec:\n  upstreams: {s: 'http://127.0.0.1:1'}\n", "", "", "egk8s.yaml:5:18", "in a pod is the gateway itself", "svc:8080"},
		{"upstream of nothing", "spec:\n  upstreams: {t: 'http://t:1'}\n", "", "", "", `upstream "t": serviceEndpoints has no such name`, ""},
		{"upstream without scheme", "spec:\n  upstreams: {s: 's:80'}\n", "", "", "egk8s.yaml:5", "is not an http or https URL", "http://"},
		{"memory for two", "spec:\n  store: memory\n", "", "", "egk8s.yaml:5", "works with one replica only", "replicas: 1"},
		{"no consumers file", "spec:\n  consumers: config/c.yml\n", "", "", "config/c.yml", "no such file", ""},
		{"plain secret of a consumer", "spec:\n  consumers: config/consumers.yml\n", "", "users: [{username: a, firstname: A, lastname: B}]\ncredentials: [{type: key-auth, consumer: a, keyId: k, keySecret: plain}]\n", "config/consumers.yml:2", "keySecret", "egk8s credentials"},
		{"policy of a plugin", "", listens + serves + strings.Replace(rest, "proxy, jwt", "proxy, keycloak-protect", 1), "", "config/gateway.config.yml:4:19", `unknown policy "keycloak-protect"`, "oidcIssuer"},
		{"service endpoint misspelt", "", listens + serves + strings.Replace(rest, "serviceEndpoint: s", "serviceEndpoint: sx", 1), "", "config/gateway.config.yml:8", "does not exist", ""},
		{"nothing listens", "", serves + rest, "", "egk8s.yaml", "nothing would listen", "http: {port: 8080}"},
		{"probe without an answer", "spec:\n  probes: [{path: /a}]\n", "", "", "egk8s.yaml:5", "expect must be a status code", "expect: 200"},
		{"no network", "spec:\n  trustedProxies: [10.0.0.0/40]\n", "", "", "egk8s.yaml:5", "not an address range", "10.0.0.0/8"},
		{"file twice", "spec:\n  files: [{path: a, secret: s, key: k}, {path: a, secret: t, key: k}]\n", "", "", "egk8s.yaml:5", `two entries give the file "a"`, "keep one"},
		{"file outside", "spec:\n  files: [{path: ../a, secret: s, key: k}]\n", "", "", "egk8s.yaml:5", "below the config folder", ""},
		{"two releases of one name", "environments:\n  a: {context: c}\n  b: {context: c}\n", "", "", "egk8s.yaml:6", "both the release shop in namespace web of context c", "another namespace"},
		{"protected without context", "environments:\n  a: {protected: true}\n", "", "", "egk8s.yaml:5", "names no context", "context: NAME"},
		{"more asked than allowed", "spec:\n  resources: {requests: {memory: 512Mi}}\n", "", "", "egk8s.yaml:5", "more than the limit 256Mi", "raise the limit"},
		{"toleration misspelt", "spec:\n  pod: {tolerations: [{keys: a}]}\n", "", "", "egk8s.yaml:5", `unknown field "keys"`, "Kubernetes API"},
		{"volume over the config", "spec:\n  pod: {volumes: [{name: a, mountPath: /etc/egk8s/config, source: {emptyDir: {}}}]}\n", "", "", "egk8s.yaml:5", "belongs to egk8s", "spec.files"},
		{"label of egk8s", "spec:\n  labels: {app.kubernetes.io/name: x}\n", "", "", "egk8s.yaml:5", "is set by egk8s", "another key"},
		{"authority of nowhere", "spec:\n  trustedCAs: {key: ca.crt}\n", "", "", "egk8s.yaml:5", "needs a secret or a configMap", "configMap"},
		{"rules of no policy", "spec:\n  networkPolicy: {from: [{podSelector: {}}]}\n", "", "", "egk8s.yaml:5", "is not enabled", "enabled: true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.config == "" {
				c.config = listens + serves + rest
			}
			for name, text := range map[string]string{
				"egk8s.yaml": top + c.project, "config/gateway.config.yml": c.config, "config/consumers.yml": c.consumers,
				"config/system.config.yml": "db: {redis: {emulate: true}}\n",
			} {
				file := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.CopyFS(filepath.Join(dir, "config", "models"), os.DirFS("../../templates/project/config/models")); err != nil {
				t.Fatal(err)
			}
			p, problems := project.Load(filepath.Join(dir, "egk8s.yaml"), project.Options{})
			if p != nil {
				_, _, more := p.Read()
				problems = append(problems, more...)
			}
			var said []string
			for _, one := range problems {
				one.File = strings.TrimPrefix(one.File, dir+"/")
				if one.Severity != diag.Error {
					continue
				}
				said = append(said, one.Position.String()+": "+one.Message+" | "+one.Label+" | "+one.Hint+" | "+one.Suggestion)
				if strings.HasPrefix(one.Position.String(), c.at) && strings.Contains(one.Message, c.says) && c.says != "" &&
					strings.Contains(one.Label+one.Hint+one.Suggestion+one.Message, c.fix) {
					return
				}
			}
			if c.says != "" || len(said) > 0 {
				t.Errorf("want at %s: %s; fix: %s; got:\n%s", c.at, c.says, c.fix, strings.Join(said, "\n"))
			}
		})
	}
}
