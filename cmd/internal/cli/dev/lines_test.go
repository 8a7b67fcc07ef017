package dev

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/gateway/offline"
)

func TestLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"request", `{"msg":"request","method":"GET","path":"/a","status":200,"duration_ms":1.25,"endpoint":"e","upstream":"10.0.0.1:80"}`, "  200  GET    /a  1.2 ms  e -> 10.0.0.1:80\n"},
		{"no route", `{"msg":"request","method":"DELETE","path":"/","status":404,"duration_ms":0}`, "  404  DELETE /  0.0 ms  no route\n"},
		{"broken off", `{"msg":"request","method":"GET","path":"/a","status":200,"duration_ms":1,"endpoint":"e","broken":true}`, "  200  GET    /a  1.0 ms  e  broken off\n"},
		{"hostile", `{"msg":"request","method":"GET","path":"/\u001b[2J\u0007","status":200,"duration_ms":1,"endpoint":"e"}`, "  200  GET    /\ufffd[2J\ufffd  1.0 ms  e\n"},
		{"hostile message", `{"level":"WARN","msg":"a\u001b]0;x\u0007","b":"c\nd"}`, "  warning: a\ufffd]0;x\ufffd b=c\ufffdd\n"},
		{"listening", `{"level":"INFO","msg":"https server listening on 127.0.0.1:1","listener":"https","address":"127.0.0.1:1"}`, "  https: https://127.0.0.1:1\n"},
		{"error", `{"level":"ERROR","msg":"x","code":"c","error":"e"}`, "  error: x error=e\n"},
		{"no JSON", "panic: x\n", "panic: x\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			n, err := (&lines{w: &out, theme: theme.Theme{ASCII: true}}).Write([]byte(c.in))
			if err != nil || n != len(c.in) {
				t.Errorf("%d of %d bytes: %v", n, len(c.in), err)
			}
			if diff := cmp.Diff(c.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
	var out bytes.Buffer
	if _, err := (&lines{w: &out, theme: theme.Theme{Color: true}}).Write([]byte(`{"msg":"request","status":500}`)); err != nil || !strings.Contains(out.String(), "\x1b[31m500\x1b[0m") {
		t.Errorf("no colour: %q %v", out.String(), err)
	}
}

func TestReadEnvFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), ".env")
	got, err := readEnvFile(file)
	if got != nil || err != nil {
		t.Fatalf("no file: %v %v", got, err)
	}
	if err := os.WriteFile(file, []byte("# C=1\nA=a=b \"q\"\r\n  B=\nnothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err = readEnvFile(file)
	if diff := cmp.Diff(map[string]string{"A": `a=b "q"`, "B": ""}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	o := &Options{Host: "::1", Port: -1, HTTPSPort: 0, AdminPort: -1}
	got := o.addresses(&offline.Report{HTTP: &offline.Port{Port: 80}, HTTPS: &offline.Port{Port: 443}, Admin: &offline.Port{Port: 9876}})
	want := map[string]string{"EGK8S_HTTP_ADDRESS": "[::1]:8080", "EGK8S_HTTPS_ADDRESS": "[::1]:0", "EGK8S_ADMIN_ADDRESS": "[::1]:9876"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
