package offline_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
	"egk8s.dev/egk8s/gateway/store/file"
)

func newTestFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "consumers.yml")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const someUser = "# our people\nusers:\n- {username: al, firstname: A, lastname: L} # the first\nscopes: [read]\n"

// TestAddedCredentialsAuthenticate goes all the way: file, store, rules.
func TestAddedCredentialsAuthenticate(t *testing.T) {
	t.Parallel()
	path := newTestFile(t, someUser)
	key, err := offline.AddCredential(path, offline.NewCredential{Consumer: "al", Scopes: []string{"read", "write"}})
	if err != nil {
		t.Fatal(err)
	}
	pass, err := offline.AddCredential(path, offline.NewCredential{Type: "basic-auth", Consumer: "al", Secret: "pw"})
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, path)
	if !strings.HasPrefix(text, "# our people\nusers:\n- {username: al, firstname: A, lastname: L} # the first\n") {
		t.Errorf("the user's lines changed:\n%s", text)
	}
	for _, secret := range []string{key.Secret, "pw}"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret stands in the file:\n%s", text)
		}
	}
	store, err := file.Open(t.Context(), file.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	service, err := consumer.New(store, consumer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	who, cred, err := service.AuthenticateKey(t.Context(), key.KeyID, key.Secret)
	if err != nil || who.Username != "al" || !cred.HasScopes([]string{"read", "write"}) {
		t.Errorf("the new key: %v, %v, %v", who, cred, err)
	}
	if _, _, err := service.AuthenticatePassword(t.Context(), consumer.TypeBasicAuth, "al", pass.Secret); err != nil {
		t.Errorf("the new password: %v", err)
	}
	digest, count, problems := offline.CheckConsumers(path)
	if digest != file.Digest([]byte(text)) || problems.HasErrors() {
		t.Errorf("CheckConsumers: %s, %v", digest, problems)
	}
	if diff := cmp.Diff(offline.ConsumerCount{Users: 1, Credentials: 2, Scopes: 2}, count); diff != "" {
		t.Errorf("count (-want +got)\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's mode changed: %v, %v", info.Mode(), err)
	}
}

func TestAddCredentialRefusesAndLeavesTheFile(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text string
		ask  offline.NewCredential
		want string
	}{
		"unknown consumer": {someUser, offline.NewCredential{Consumer: "bob"}, `there is no user or application "bob"`},
		"unknown type":     {someUser, offline.NewCredential{Consumer: "al", Type: "keyauth"}, `did you mean "key-auth"?`},
		"no consumer":      {someUser, offline.NewCredential{}, "needs a consumer"},
		"broken file":      {"users: [", offline.NewCredential{Consumer: "al"}, "read consumers file"},
		"problem elsewhere": {
			someUser + "applications: [{name: x}]\n", offline.NewCredential{Consumer: "bob", CreateUser: true}, "an application needs user",
		},
		"packed file":   {"\x1f\x8b", offline.NewCredential{Consumer: "al"}, "unpack it first"},
		"long password": {someUser, offline.NewCredential{Consumer: "al", Type: "oauth2", Secret: strings.Repeat("x", 73)}, "72 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newTestFile(t, tt.text)
			_, err := offline.AddCredential(path, tt.ask)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if got := read(t, path); got != tt.text {
				t.Errorf("the file changed:\n%s", got)
			}
		})
	}
}

func TestAddCredentialMakesFileAndUser(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "consumers.yml")
	made, err := offline.AddCredential(path, offline.NewCredential{Consumer: "al", KeyID: "k1", Secret: "s1", CreateUser: true})
	if err != nil {
		t.Fatal(err)
	}
	if !made.UserAdded || made.KeyID != "k1" || made.Secret != "s1" {
		t.Errorf("made %+v", made)
	}
	if _, count, problems := offline.CheckConsumers(path); count.Users != 1 || len(problems) > 0 {
		t.Errorf("%d users, %v", count.Users, problems)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of a new file %v, %v", info.Mode(), err)
	}
}

func TestCheckConsumersProblems(t *testing.T) {
	t.Parallel()
	if _, _, problems := offline.CheckConsumers(filepath.Join(t.TempDir(), "no.yml")); !problems.HasErrors() {
		t.Error("a missing file is no problem")
	}
	path := newTestFile(t, "users: [{username: al}]\n")
	_, _, problems := offline.CheckConsumers(path)
	if !problems.HasErrors() || problems[0].File != path || problems[0].Line != 1 {
		t.Errorf("problems %v", problems)
	}
	models := filepath.Join(filepath.Dir(path), "models")
	if err := os.Mkdir(models, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(models, "users.json"), []byte(`{"$id":"u","properties":{"username":{}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, problems := offline.CheckConsumers(path); len(problems) > 0 {
		t.Errorf("the edited model beside the file is not obeyed: %v", problems)
	}
	if err := os.WriteFile(filepath.Join(models, "users.json"), []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, problems := offline.CheckConsumers(path); !problems.HasErrors() {
		t.Error("a broken model is no problem")
	}
}

func TestHashSecret(t *testing.T) {
	t.Parallel()
	field, hash, err := offline.HashSecret("", "secret1")
	if err != nil || field != "keySecretSHA256" || hash != "5b11618c2e44027877d0cd0921ed166b9f176f50587fc91e7534dd2946db77d6" {
		t.Errorf("key: %s %s %v", field, hash, err)
	}
	if field, _, err := offline.HashSecret("basic-auth", "pw"); err != nil || field != "passwordBcrypt" {
		t.Errorf("password: %s %v", field, err)
	}
	for _, kind := range []string{"jwt", "zzz"} {
		if _, _, err := offline.HashSecret(kind, "x"); err == nil {
			t.Errorf("%s: no error", kind)
		}
	}
	var problems diag.Problems
	if _, _, err := offline.HashSecret("oauth2", strings.Repeat("x", 73)); err == nil || errors.As(err, &problems) {
		t.Errorf("a password that is too long: %v", err)
	}
}
