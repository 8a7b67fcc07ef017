package triton_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// TestFind looks for credentials in the places of the triton command.
func TestFind(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(home, ".triton", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("profiles.d/work.json", `{"url":"https://work","account":"w","keyId":"aa:bb","user":"u","actAsAccount":"x","insecure":true}`)
	write("profiles.d/broken.json", `{"url"`)
	write("profiles.d/half.json", `{"url":"https://half","account":"h"}`)
	write("config.json", `{"profile":"work"}`)
	work := triton.Credentials{URL: "https://work", Account: "w", KeyID: "aa:bb", User: "u", ActAs: "x", Insecure: true, Source: "profile work"}
	env := map[string]string{"SDC_URL": "https://e", "TRITON_ACCOUNT": "a", "SDC_ACCOUNT": "old", "TRITON_KEY_ID": "cc", "TRITON_TLS_INSECURE": "true"}
	fromEnv := triton.Credentials{URL: "https://e", Account: "a", KeyID: "cc", Insecure: true, Source: "the environment"}
	tests := map[string]struct {
		home string
		env  map[string]string
		want triton.Credentials
		fail string
	}{
		"current profile":           {home, nil, work, ""},
		"variables win":             {home, env, fromEnv, ""},
		"named profile wins":        {home, with(env, "TRITON_PROFILE", "work"), work, ""},
		"profile env":               {home, with(env, "TRITON_PROFILE", "env"), fromEnv, ""},
		"profile env, nothing set":  {home, map[string]string{"TRITON_PROFILE": "env"}, triton.Credentials{}, "TRITON_URL, TRITON_ACCOUNT, TRITON_KEY_ID not set"},
		"one variable is missing":   {home, map[string]string{"TRITON_URL": "x", "TRITON_ACCOUNT": "a"}, triton.Credentials{}, "TRITON_KEY_ID not set"},
		"nothing anywhere":          {t.TempDir(), nil, triton.Credentials{}, "no credentials"},
		"no such profile":           {home, map[string]string{"TRITON_PROFILE": "wrk"}, triton.Credentials{}, `no profile "wrk"`},
		"profile that is no name":   {home, map[string]string{"TRITON_PROFILE": "../work"}, triton.Credentials{}, "no name"},
		"broken profile":            {home, map[string]string{"TRITON_PROFILE": "broken"}, triton.Credentials{}, "broken.json"},
		"profile without a key":     {home, map[string]string{"TRITON_PROFILE": "half"}, triton.Credentials{}, `no "keyId"`},
		"insecure that is no truth": {home, with(env, "TRITON_TLS_INSECURE", "maybe"), fromEnv, "TRITON_TLS_INSECURE"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := triton.Find(triton.Environment{Home: tt.home, Lookup: func(name string) (string, bool) {
				value, ok := tt.env[name]
				return value, ok
			}})
			switch {
			case tt.fail != "":
				if err == nil || !strings.Contains(err.Error(), tt.fail) {
					t.Errorf("%v", err)
				}
			case err != nil:
				t.Error(err)
			default:
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func with(env map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range env {
		if k != key {
			out[k] = v
		}
	}
	return out
}
