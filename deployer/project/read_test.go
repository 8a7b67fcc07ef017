package project_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"egk8s.dev/egk8s/deployer/project"
)

func TestReadScaffold(t *testing.T) {
	t.Parallel()
	files, err := project.Scaffold(project.ScaffoldOptions{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, f := range files {
		texts[f.Path] = string(f.Data)
	}
	p := newTestProject(t, texts)
	got, report, problems := p.Read()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if report.HTTP == nil || report.HTTP.Port != 8080 || len(report.Routes) != 3 {
		t.Errorf("%+v", report)
	}
	if len(got.Config) != 5 || got.Consumers == nil || len(got.ConsumersDigest) != 64 {
		t.Errorf("%d files, consumers digest %q", len(got.Config), got.ConsumersDigest)
	}
}

func TestReadFindsContradictions(t *testing.T) {
	t.Parallel()
	const gateway = "http: {port: 8080}\napiEndpoints: {a: {host: '*', paths: /a}}\npolicies: [terminate]\n" +
		"pipelines: {a: {apiEndpoints: [a], policies: [{terminate: [{action: {statusCode: 200}}]}]}}\n"
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"redis without a store": {
			map[string]string{"config/system.config.yml": "db:\n  redis:\n    host: redis.shop\n    port: 6379\n"},
			`system.config.yml keeps consumers in the Redis redis.shop`,
		},
		"redis and a store": {map[string]string{
			"config/system.config.yml": "db:\n  redis:\n    host: redis.shop\n    port: 6379\n",
			"egk8s.yaml":               head + "spec: {store: file}\n",
		}, ""},
		"no listener": {map[string]string{"config/gateway.config.yml": strings.Replace(gateway, "http: {port: 8080}\n", "", 1)}, "nothing would listen"},
		"port of the pod": {map[string]string{
			"config/gateway.config.yml": strings.Replace(gateway, "8080", "${GATEWAY_PORT}", 1),
			"egk8s.yaml":                head + "spec: {secretEnv: {GATEWAY_PORT: {secret: s, key: k}}}\n",
		}, "the http port of gateway.config.yml is only known in the pod"},
		"port of the pod, chosen": {map[string]string{
			"config/gateway.config.yml": strings.Replace(gateway, "8080", "${GATEWAY_PORT}", 1),
			"egk8s.yaml":                head + "spec: {secretEnv: {GATEWAY_PORT: {secret: s, key: k}}, service: {port: 80}}\n",
		}, ""},
		"port of spec.env": {map[string]string{
			"config/gateway.config.yml": strings.Replace(gateway, "8080", "${GATEWAY_PORT}", 1),
			"egk8s.yaml":                head + "spec: {env: {GATEWAY_PORT: '8081'}}\n",
		}, ""},
		"mistake in the gateway's file": {
			map[string]string{"config/gateway.config.yml": strings.Replace(gateway, "[a]", "[b]", 1)}, "gateway.config.yml:4:",
		},
		"consumers": {map[string]string{
			"egk8s.yaml": head + "spec: {consumers: consumers.yml}\n", "consumers.yml": "users: [{nme: x}]\n",
		}, "consumers.yml:1:"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{
				"config/gateway.config.yml": gateway, "config/system.config.yml": "db: {redis: {emulate: true}}\n",
			}
			for _, model := range []string{"users", "applications", "credentials"} {
				data, err := os.ReadFile(filepath.Join("../../templates/project/config/models", model+".json"))
				if err != nil {
					t.Fatal(err)
				}
				files["config/models/"+model+".json"] = string(data)
			}
			maps.Copy(files, tt.files)
			_, _, problems := newTestProject(t, files).Read()
			switch {
			case tt.want == "" && problems.HasErrors():
				t.Error(problems)
			case tt.want != "" && !strings.Contains(problems.Error(), tt.want):
				t.Errorf("%v", problems)
			}
		})
	}
}
