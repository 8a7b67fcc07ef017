package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
)

func TestSettingsRoundTrip(t *testing.T) {
	t.Parallel()
	want := config.Settings{
		APIVersion:     config.SettingsVersion,
		Upstreams:      map[string]string{"b": "https://b.test/x?y=<1>", "a": "http://a:80"},
		TrustedProxies: []string{"10.0.0.0/8", "::1"},
		Listen:         config.ListenAddresses{HTTP: ":8080", HTTPS: ":8443", Admin: "127.0.0.1:9876", Status: ":9877", Metrics: ":9878"},
		TLS:            map[string]config.TLSFiles{"default": {Cert: "c", Key: "k"}},
		Store:          config.StoreSettings{Kind: config.StoreFile, Path: "/etc/egk8s/consumers/consumers.yml"},
		Drain:          config.DrainSettings{Delay: 5, Timeout: 30},
	}
	text, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := config.ParseSettings(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again, err := got.Encode(); err != nil || string(again) != string(text) {
		t.Errorf("written again: %s, %v", again, err)
	}
	empty, err := config.Settings{}.Encode()
	if err != nil || string(empty) != "{\n  \"apiVersion\": \"egk8s.dev/v1alpha1\"\n}\n" {
		t.Errorf("no settings: %q, %v", empty, err)
	}
}

func TestParseSettingsRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"apiVersion": "egk8s.dev/v1alpha1", `
	for text, want := range map[string]string{
		``:                                      "EOF",
		`{}`:                                    `apiVersion is ""`,
		`{"apiVersion": "egk8s.dev/v9"}`:        `apiVersion is "egk8s.dev/v9"`,
		head + `"more": 1}`:                     `unknown field "more"`,
		head + `"drain": {}} {}`:                "more than one value",
		head + `"upstreams": {"a": "a:80"}}`:    `upstream "a": it must begin with http:// or https://`,
		head + `"upstreams": {"a": "http://"}}`: `upstream "a": it names no host`,
		head + `"upstreams": {"a": "http://u:PASSWORD@h:x"}}`:               `upstream "a": it is not a URL`,
		head + `"trustedProxies": ["10.0.0.0/99"]}`:                         `trusted proxy "10.0.0.0/99"`,
		head + `"listen": {"http": "8080"}}`:                                `listen address "8080"`,
		head + `"tls": {"default": {"cert": "c"}}}`:                         `certificate "default"`,
		head + `"store": {"kind": "etcd"}}`:                                 `store "etcd"`,
		head + `"store": {"kind": "file", "url": "redis://r"}}`:             "url is for the kind redis",
		head + `"store": {"kind": "redis", "url": "http://r"}}`:             "it must begin with redis:// or rediss://",
		head + `"store": {"kind": "redis", "url": "redis://u:PASSWORD@r"}}`: "holds a secret",
		head + `"drain": {"delay": -1}}`:                                    "negative",
	} {
		_, err := config.ParseSettings([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "PASSWORD") {
			t.Errorf("%s: the error shows a password: %v", text, err)
		}
	}
}
