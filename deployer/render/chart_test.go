package render_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/deployer/render"
	"egk8s.dev/egk8s/gateway/offline"
)

// helmTemplate renders the chart as `helm template` does, with values given as YAML.
func helmTemplate(t *testing.T, name, text string) ([]*unstructured.Unstructured, error) {
	t.Helper()
	c, err := render.LoadChart("")
	if err != nil {
		t.Fatal(err)
	}
	values, err := chartutil.ReadValues([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	release := chartutil.ReleaseOptions{Name: name, Namespace: "web", IsInstall: true}
	in, err := chartutil.ToRenderValues(c, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, in)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for file, content := range files {
		for document := range strings.SplitSeq(content, "\n---\n") {
			o := map[string]any{}
			if !strings.HasSuffix(file, ".yaml") || strings.TrimSpace(document) == "" {
				continue
			}
			if err := yaml.Unmarshal([]byte(document), &o); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			objects = append(objects, &unstructured.Unstructured{Object: o})
		}
	}
	return objects, nil
}

const plainValues = `
image: {repository: registry.example.com/gateway, tag: "1"}
config:
  files:
    gateway.config.yml: "http: {port: 8080} # ü\n"
    models/users.json: "{}"
    models/applications.json: "[]"
    models/credentials.json: "{ }"
  secretFiles:
    system.config.yml: "db: {}\n"
  secretSalt: 0123456789abcdef
consumers: {content: "users: []\n"}
upstreams: {a: "http://a:80/?x=1&y=2"}
trustedProxies: [10.0.0.0/8]
`

func TestPlainHelmNamesTheConfigAsEgk8sDoes(t *testing.T) {
	t.Parallel()
	objects, err := helmTemplate(t, "shop", plainValues)
	if err != nil {
		t.Fatal(err)
	}
	var secret, digest, configMap string
	data := map[string]any{}
	for _, o := range objects {
		switch {
		case o.GetKind() == "Secret" && strings.HasPrefix(o.GetName(), "shop-secret-"):
			secret = o.GetName()
		case o.GetKind() == "ConfigMap":
			configMap, data = o.GetName(), o.Object["binaryData"].(map[string]any)
		case o.GetKind() == "Deployment":
			containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
			for _, e := range containers[0].(map[string]any)["env"].([]any) {
				if e := e.(map[string]any); e["name"] == "EGK8S_CONFIG_DIGEST" {
					digest = e["value"].(string)
				}
			}
		}
	}
	file := func(key string) []byte {
		content, err := base64.StdEncoding.DecodeString(data[key].(string))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	manifest, want, err := offline.Manifest([]offline.Entry{
		offline.File("gateway.config.yml", file("gateway.config.yml")),
		offline.File("models/applications.json", file("models__applications.json")),
		offline.File("models/credentials.json", file("models__credentials.json")),
		offline.File("models/users.json", file("models__users.json")),
		offline.File(offline.SettingsName, file(offline.SettingsName)),
		offline.SecretFile("system.config.yml", []byte("db: {}\n"), secret),
	})
	if err != nil {
		t.Fatal(err)
	}
	if digest != want || configMap != "shop-config-"+want[:10] {
		t.Errorf("digest %s in ConfigMap %s, want %s", digest, configMap, want)
	}
	if diff := cmp.Diff(string(manifest), string(file(offline.ManifestName))); diff != "" {
		t.Error(diff)
	}
	var settings offline.Settings
	if err := json.Unmarshal(file(offline.SettingsName), &settings); err != nil {
		t.Fatal(err)
	}
	wantSettings := offline.Settings{
		APIVersion: "egk8s.dev/v1alpha1", Upstreams: map[string]string{"a": "http://a:80/?x=1&y=2"}, TrustedProxies: []string{"10.0.0.0/8"},
		Listen: offline.ListenAddresses{HTTP: ":8080", HTTPS: ":8443", Admin: "127.0.0.1:9876", Status: ":9877", Metrics: ":9878"},
		Store:  offline.StoreSettings{Kind: "file", Path: "/etc/egk8s/consumers/consumers.yml"},
		Drain:  offline.DrainSettings{Delay: 5, Timeout: 30},
	}
	if diff := cmp.Diff(wantSettings, settings); diff != "" {
		t.Error(diff)
	}
}

func TestPlainHelmRefuses(t *testing.T) {
	t.Parallel()
	const models = "models/users.json: '{}', models/applications.json: '{}', models/credentials.json: '{}'"
	const config = "config: {files: {gateway.config.yml: 'http: {port: 80}', system.config.yml: 'db: {}', " + models + "}}\n"
	const image = "image: {reference: 'r/g:1'}\n"
	tests := map[string]struct{ name, values, want string }{
		"no image":       {"shop", config, "which image?"},
		"no config":      {"shop", image, "which configuration?"},
		"unknown value":  {"shop", image + config + "replica: 3\n", "replica"},
		"wrong value":    {"shop", image + config + "replicas: three\n", "replicas"},
		"name":           {"1shop", image + config, "cannot be the name of a Service"},
		"salt":           {"shop", image + "config: {files: {gateway.config.yml: x, " + models + "}, secretFiles: {system.config.json: '{}'}}\n", "secretSalt"},
		"no models":      {"shop", image + "config: {files: {gateway.config.yml: x, system.config.yml: x, models/users.json: x}}\n", "which models/applications.json?"},
		"no system":      {"shop", image + "config: {files: {gateway.config.yml: x, " + models + "}}\n", "which system.config.yml?"},
		"listens nowher": {"shop", image + config + "service: {port: 0}\n", "listens nowhere"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := helmTemplate(t, tt.name, tt.values); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestHelmLint(t *testing.T) {
	t.Parallel()
	values, err := chartutil.ReadValues([]byte(plainValues))
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range lint.AllWithKubeVersion("../../charts/egk8s-gateway", values, "web", nil).Messages {
		if message.Severity >= support.WarningSev {
			t.Error(message)
		}
	}
}
