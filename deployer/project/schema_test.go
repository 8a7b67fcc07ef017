package project_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/deployer/strictyaml"
)

// whole is an egk8s.yaml that has every field.
const whole = `
apiVersion: egk8s.dev/v1alpha1
kind: Gateway
metadata: {name: shop, namespace: web}
cloud: gke
spec:
  image: {repository: registry.test/shop, pullSecrets: [login]}
  config: {dir: config, sensitive: ['certs/*.pem']}
  consumers: config/consumers.yml
  upstreams: {customers: 'http://customers:8080'}
  env: {REGION: eu, N: 5, ON: true, EMPTY: null}
  secretEnv: {JWT: {secret: tokens, key: jwt}}
  files: [{path: certs/ca.crt, secret: corp, key: ca.crt}]
  tls: {default: {secret: api-tls}}
  trustedProxies: [10.0.0.0/8]
  probes: [{path: /a, method: GET, host: shop.test, headers: {X: y}, expect: 200}]
  store: file
  replicas: {min: 2, max: 10, cpu: 60}
  resources: {requests: {cpu: 1, memory: 64Mi}, limits: {memory: 1Gi}}
  service: {type: ClusterIP, port: 80, httpsPort: 443, annotations: {a: b}}
  drain: {delay: 5, timeout: 30}
  logLevel: info
  labels: {team: web}
  pod:
    labels: {a: b}
    annotations: {a: b}
    nodeSelector: {disk: ssd}
    tolerations: [{key: a, operator: Exists, tolerationSeconds: 5}]
    affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {}}]}}
    priorityClassName: high
    volumes: [{name: data, mountPath: /data, readOnly: true, source: {emptyDir: {sizeLimit: 1Gi}}}]
  trustedCAs: {configMap: corp, secret: null, key: ca.crt}
  networkPolicy: {enabled: true, from: [{podSelector: {}}], egress: [{}]}
clouds: {kind: {replicas: 1}}
environments: {production: {wave: 2, context: c, namespace: n, cloud: gke, protected: true, replicas: 4}}
`

// TestSchemaIsTheDecoder puts something else into every place of a whole file, and asks schema and decoder.
func TestSchemaIsTheDecoder(t *testing.T) {
	t.Parallel()
	validator := compiled(t)
	var base map[string]any
	if err := yaml.Unmarshal([]byte(whole), &base); err != nil {
		t.Fatal(err)
	}
	if said := agreed(t, validator, base, "whole"); said {
		t.Fatal("the whole file is refused")
	}
	replacements := []any{"text", 5, 1.5, true, nil, []any{}, []any{"a"}, []any{map[string]any{"nonsense": 1}}, map[string]any{}, map[string]any{"nonsense": 1}}
	refused, accepted := 0, 0
	walk(base, nil, func(path []any) {
		for _, r := range replacements {
			doc := put(base, path, r)
			if agreed(t, validator, doc, fmt.Sprintf("%v = %v", path, r)) {
				refused++
			} else {
				accepted++
			}
		}
	})
	if refused < 200 || accepted < 200 {
		t.Errorf("%d files refused, %d accepted: too few of one kind to show anything", refused, accepted)
	}
}

// TestSchemaDescribes holds that every property of spec says what it is for, or what its parts are for.
func TestSchemaDescribes(t *testing.T) {
	t.Parallel()
	text, err := project.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Properties struct {
			Spec struct {
				Properties map[string]map[string]any
			}
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"image", "consumers", "upstreams", "replicas", "labels", "pod", "trustedCAs", "networkPolicy", "service", "probes"} {
		if p := doc.Properties.Spec.Properties[name]; p == nil {
			t.Errorf("no spec.%s", name)
		} else if p["description"] == nil && name != "probes" {
			t.Errorf("spec.%s is not described", name)
		}
	}
	again, err := project.Schema()
	if err != nil || !bytes.Equal(text, again) {
		t.Error("two schemas differ")
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := project.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(project.SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(project.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// agreed tells whether a file is refused, and fails where only one of the two refuses it.
func agreed(t *testing.T, s *jsonschema.Schema, doc map[string]any, what string) bool {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, problems := project.Parse("egk8s.yaml", text, project.Options{})
	byDecoder := false
	for _, p := range problems {
		head := p.Code == "api-version" || p.Code == "kind" || p.Code == "name" && !strings.Contains(p.Message, "namespace")
		if p.Code == strictyaml.CodeUnknown || p.Code == strictyaml.CodeType || head {
			byDecoder = true
		}
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	violation := s.Validate(instance)
	if byDecoder != (violation != nil) {
		t.Errorf("%s: the decoder says %v, the schema says %v", what, problems, violation)
	}
	return byDecoder
}

func walk(v any, path []any, f func([]any)) {
	if len(path) > 0 {
		f(path)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			walk(v[k], append(slices.Clone(path), k), f)
		}
	case []any:
		for i, item := range v {
			walk(item, append(slices.Clone(path), i), f)
		}
	}
}

// put returns a copy of v with something else at a path.
func put(v any, path []any, value any) map[string]any {
	text, _ := json.Marshal(v)
	var doc map[string]any
	_ = json.Unmarshal(text, &doc)
	var at any = doc
	for _, step := range path[:len(path)-1] {
		if key, ok := step.(string); ok {
			at = at.(map[string]any)[key]
		} else {
			at = at.([]any)[step.(int)]
		}
	}
	switch last := path[len(path)-1].(type) {
	case string:
		at.(map[string]any)[last] = value
	case int:
		at.([]any)[last] = value
	}
	return doc
}
