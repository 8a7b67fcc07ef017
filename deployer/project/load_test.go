package project_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/project"
)

const head = "apiVersion: egk8s.dev/v1alpha1\nkind: Gateway\nmetadata: {name: shop}\n"

func parse(t *testing.T, text string, opts project.Options) (*project.Project, []string) {
	t.Helper()
	p, problems := project.Parse("egk8s.yaml", []byte(text), opts)
	var lines []string
	for _, problem := range problems {
		lines = append(lines, problem.String())
	}
	return p, lines
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	p, problems := parse(t, head, project.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := project.Spec{
		Config: project.Config{Dir: "config"}, Store: project.Store{Kind: "file"}, Replicas: project.Replicas{Fixed: 2}, LogLevel: "info",
		Drain: project.Drain{Delay: 5, Timeout: 30},
		Resources: project.Resources{
			Requests: map[string]string{"cpu": "100m", "memory": "64Mi"}, Limits: map[string]string{"memory": "256Mi"},
		},
	}
	if diff := cmp.Diff(want, p.Spec); diff != "" {
		t.Error(diff)
	}
	if p.Name != "shop" || p.Namespace != "" || p.Cloud != "" || p.Dir != "." {
		t.Errorf("%+v", p)
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"several": {
			in: "apiVersion: egk8s.dev/v1\nkind: Gateway\nmetadata: {name: Shop_1}\nspec:\n  replicsa: 3\n  drain: {delay: soon}\n",
			want: `egk8s.yaml:1:13: apiVersion must be egk8s.dev/v1alpha1
egk8s.yaml:3:18: "Shop_1" cannot be the name of a Service
egk8s.yaml:5:3: unknown key "replicsa" (did you mean "replicas"?)
egk8s.yaml:6:18: spec.drain.delay must be a whole number`,
		},
		"no name": {in: "apiVersion: egk8s.dev/v1alpha1\nkind: Gateway\n", want: `egk8s.yaml: metadata.name is missing`},
		"long name": {
			in:   "apiVersion: egk8s.dev/v1alpha1\nkind: Gateway\nmetadata: {name: " + strings.Repeat("a", 54) + "}\n",
			want: `egk8s.yaml:3:18: metadata.name has 54 characters, at most 53 are possible`,
		},
		"memory with replicas": {
			in: head + "spec:\n  store: memory\n", want: `egk8s.yaml:5:10: store memory works with one replica only, and there may be 2`,
		},
		"memory with consumers": {
			in:   head + "spec: {store: memory, replicas: 1, consumers: config/c.yml}\n",
			want: `egk8s.yaml:4:47: consumers come from a file, and store is memory`,
		},
		"autoscaler": {
			in: head + "spec:\n  replicas: {min: 2, max: 10}\n", want: `egk8s.yaml:5:13: replicas.cpu must be the wanted use of the CPU request in percent, 1 to 1000`,
		},
		"autoscaler that cannot scale": {
			in: head + "spec:\n  replicas: {min: 4, max: 2, cpu: 60}\n", want: `egk8s.yaml:5:13: replicas.min must be at least 1, and replicas.max at least that and at most 1000`,
		},
		"autoscaler without a measure": {
			in:   head + "spec:\n  replicas: {min: 1, max: 2, cpu: 60}\n  resources: {requests: {cpu: null}}\n",
			want: `egk8s.yaml:6:25: an autoscaler needs a CPU request to measure against`,
		},
		"replicas of no kind": {
			in: head + "spec:\n  replicas: many\n", want: "egk8s.yaml:5:13: spec.replicas must be a whole number\negk8s.yaml:5:13: replicas must be 1 to 1000, not 0",
		},
		"override in an environment nobody chose": {
			in:   head + "environments:\n  production:\n    replica: 4\n",
			want: `egk8s.yaml:6:5: unknown key "replica" (did you mean "replicas"?)`,
		},
		"protected": {
			in:   head + "environments:\n  production: {protected: true}\n",
			want: `egk8s.yaml:5:15: environment production is protected and names no context`,
		},
		"values": {
			in: head + `spec:
  config: {dir: ../other}
  upstreams: {a: "customers:80"}
  trustedProxies: [10.0.0.0/8, 10.0.0.0/99]
  env: {EGK8S_HTTP_ADDRESS: x, A: b, EG_CONFIG_DIR: x}
  secretEnv: {A: {secret: s, key: k}, B: {secret: S_}}
  files: [{path: ../x, secret: s, key: k}]
  probes: [{path: x}]
  service: {type: Loadbalancer, port: 70000}
  resources: {requests: {cpu: lots}}
  logLevel: loud
  replicas: 0
`,
			want: `egk8s.yaml:5:17: "../other" must lie below the folder of egk8s.yaml
egk8s.yaml:6:18: "customers:80" is not an http or https URL
egk8s.yaml:7:32: "10.0.0.0/99" is not an address range
egk8s.yaml:8:29: EGK8S_HTTP_ADDRESS: names that begin with EGK8S_ are set by egk8s
egk8s.yaml:8:53: EG_CONFIG_DIR is set by egk8s
egk8s.yaml:9:18: A stands in env and in secretEnv
egk8s.yaml:9:42: "S_" cannot be the name of a Secret
egk8s.yaml:9:42: the key of the Secret is missing
egk8s.yaml:10:18: path "../x" must lie below the config folder
egk8s.yaml:11:12: expect must be a status code
egk8s.yaml:11:19: the path "x" must begin with /
egk8s.yaml:12:19: unknown type of Service "Loadbalancer"
egk8s.yaml:12:39: 70000 is not a port
egk8s.yaml:13:31: "lots" is not a quantity
egk8s.yaml:14:13: unknown log level "loud"
egk8s.yaml:15:13: replicas must be 1 to 1000, not 0`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := parse(t, tt.in, project.Options{})
			if diff := cmp.Diff(tt.want, strings.Join(problems, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const layered = head + `cloud: kind
spec:
  replicas: 2
  env: {A: base, B: base}
  trustedProxies: [10.0.0.0/8]
clouds:
  gke:
    env: {B: gke, C: gke}
    replicas: 3
environments:
  production:
    cloud: gke
    context: gke-prod
    namespace: shop
    protected: true
    env: {C: production, A: ~}
    replicas: 4
    trustedProxies: [192.168.0.0/16]
`

func TestLayers(t *testing.T) {
	t.Parallel()
	p, problems := parse(t, layered, project.Options{Environment: "production"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if p.Cloud != "gke" || p.Context != "gke-prod" || p.Namespace != "shop" || !p.Protected || p.Spec.Replicas.Fixed != 4 {
		t.Errorf("%+v", p)
	}
	if diff := cmp.Diff(map[string]string{"B": "gke", "C": "production"}, p.Spec.Env); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"192.168.0.0/16"}, p.Spec.TrustedProxies); diff != "" {
		t.Error(diff)
	}
	if pos := p.Position("spec.replicas").String(); pos != "egk8s.yaml:20:15" {
		t.Error(pos)
	}
	base, _ := parse(t, layered, project.Options{})
	if base.Cloud != "kind" || base.Spec.Replicas.Fixed != 2 || base.Spec.Env["B"] != "base" {
		t.Errorf("%+v", base)
	}
	onGKE, problems2 := base.ForCloud("gke")
	if len(problems2) > 0 || onGKE.Spec.Replicas.Fixed != 3 || onGKE.Cloud != "gke" || base.Spec.Replicas.Fixed != 2 {
		t.Errorf("%+v %v", onGKE, problems2)
	}
}

func TestUnknownEnvironment(t *testing.T) {
	t.Parallel()
	_, problems := project.Parse("egk8s.yaml", []byte(layered), project.Options{Environment: "staging"})
	if len(problems) != 1 || problems[0].Message != `there is no environment "staging"` || problems[0].Hint != "known: production" {
		t.Error(problems)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"REGISTRY": "registry.example.com", "KEY": "k1:s3cret"}[name]
		return value, ok
	}
	text := head + "spec:\n  image: {repository: '${REGISTRY}/${TEAM:-shop}/gateway'}\n" +
		"  probes:\n  - {path: /a, headers: {Authorization: 'apiKey ${KEY}'}, expect: 200}\n" +
		"  - {path: /b, headers: {Authorization: 'apiKey ${NONE}'}, expect: 200}\n"
	p, problems := parse(t, text, project.Options{Env: env})
	if len(problems) > 0 || p.Spec.Image.Repository != "registry.example.com/shop/gateway" {
		t.Fatal(problems, p.Spec.Image.Repository)
	}
	probes, missing := p.ExpandProbes(env)
	if probes[0].Headers["Authorization"] != "apiKey k1:s3cret" || probes[0].Method != "GET" {
		t.Errorf("%+v", probes)
	}
	if len(missing) != 1 || missing[0].String() != "egk8s.yaml:8:41: the environment variable NONE is not set" {
		t.Error(missing)
	}
	if strings.Contains(p.Spec.Probes[0].Headers["Authorization"], "s3cret") {
		t.Error("expanding changed the project")
	}
	_, problems = parse(t, text, project.Options{})
	if diff := cmp.Diff([]string{"egk8s.yaml:5:23: the environment variable REGISTRY is not set"}, problems); diff != "" {
		t.Error(diff)
	}
}

func TestNoFile(t *testing.T) {
	t.Parallel()
	p, problems := project.Load(t.TempDir()+"/egk8s.yaml", project.Options{})
	if p != nil || len(problems) != 1 || problems[0].Message != "there is no such file" || problems[0].Hint == "" {
		t.Errorf("%v %v", p, problems)
	}
}
