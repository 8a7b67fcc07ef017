package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs the program and returns its exit code with what it wrote.
func command(t *testing.T, env map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	p := program{args: args, out: &o, errs: &e, lookup: func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}}
	code = p.run(t.Context())
	return code, o.String(), e.String()
}

// folder writes a configuration that uses one policy.
func folder(t *testing.T, gateway string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"gateway.config.yml":       gateway,
		"system.config.yml":        "db: {redis: {emulate: true}}\n",
		"models/users.json":        `{"$id": "http://express-gateway.io/models/users.json", "type": "object", "properties": {}}`,
		"models/applications.json": `{"$id": "http://express-gateway.io/models/applications.json", "type": "object", "properties": {}}`,
		"models/credentials.json":  `{"$id": "http://express-gateway.io/models/credentials.json", "type": "object", "properties": {}}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	good := folder(t, "http: {port: "+port+", hostname: 127.0.0.1}\npolicies: [proxy]\n")
	bad := folder(t, "http: {port: 0}\npolicies: [proxi]\n")
	tests := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"unknown command", []string{"fly"}, exitUsage, `unknown command "fly"`},
		{"unknown flag", []string{"--fly"}, exitUsage, "-fly"},
		{"no folder", nil, exitUsage, "--config-dir"},
		{"an argument too many", []string{"--config-dir", good, "x"}, exitUsage, `unexpected argument "x"`},
		{"no such folder", []string{"--config-dir", bad + "/none"}, exitInvalid, "error: there is no configuration: stat " + bad + "/none"},
		{"check of a file", []string{"check", bad + "/gateway.config.yml"}, exitInvalid, "is no folder; the configuration is the one"},
		{"a broken file", []string{"--config-dir", bad}, exitInvalid, "gateway.config.yml:2:"},
		{"a taken port", []string{"--config-dir", good}, exitNetwork, "listen for http"},
		{"check of a good folder", []string{"check", good}, exitOK, ""},
		{"check of a broken folder", []string{"check", bad}, exitInvalid, "gateway.config.yml:2:"},
		{"check of nothing", []string{"check"}, exitUsage, "check needs one folder"},
		{"probe without spec", []string{"probe"}, exitUsage, "--spec"},
		{"probe with no file", []string{"probe", "--spec", "/none"}, exitInvalid, "/none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := command(t, nil, tt.args...)
			if code != tt.code || !strings.Contains(errs, tt.says) || tt.says == "" && errs != "" {
				t.Errorf("code %d, want %d; stderr:\n%s", code, tt.code, errs)
			}
		})
	}
}

func TestSchemaNamesEveryPolicy(t *testing.T) {
	t.Parallel()
	code, out, _ := command(t, nil, "schema")
	var catalogue struct {
		Policies, Conditions map[string]struct {
			Schema map[string]any
			Built  bool
		}
	}
	if err := json.Unmarshal([]byte(out), &catalogue); err != nil || code != exitOK {
		t.Fatalf("code %d, %v", code, err)
	}
	if len(catalogue.Policies) < 14 || !catalogue.Policies["proxy"].Built || !catalogue.Policies["jwt"].Built || len(catalogue.Conditions) < 13 {
		t.Errorf("%d policies, %d conditions", len(catalogue.Policies), len(catalogue.Conditions))
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
		if code, out, errs := command(t, nil, args...); code != exitOK || !strings.Contains(out, "EG_CONFIG_DIR") || errs != "" {
			t.Errorf("%v: %d %s", args, code, errs)
		}
	}
	if code, out, _ := command(t, nil, "version"); code != exitOK || !strings.HasPrefix(out, "egk8s-gateway ") {
		t.Errorf("%d %q", code, out)
	}
}
