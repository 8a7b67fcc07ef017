package file_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/file"
)

func TestAppendKeepsEveryOtherByte(t *testing.T) {
	t.Parallel()
	entry := file.Entry{{Key: "type", Value: "jwt"}, {Key: "keyId", Value: "k"}}
	const line = "{type: jwt, keyId: k}"
	for name, tt := range map[string]struct{ text, want string }{
		"empty file":        {"", "credentials:\n- " + line + "\n"},
		"other section":     {"users: [] # nobody", "users: [] # nobody\ncredentials:\n- " + line + "\n"},
		"empty section":     {"credentials: # none yet\nscopes: []\n", "credentials: # none yet\n- " + line + "\nscopes: []\n"},
		"block list":        {"credentials:\n# first\n- a: 1 # why\n\nscopes: []\n", "credentials:\n# first\n- a: 1 # why\n- " + line + "\n\nscopes: []\n"},
		"indented list":     {"credentials:\n  - a: 1\n    b: 2\n  # after\nscopes: []\n", "credentials:\n  - a: 1\n    b: 2\n  - " + line + "\n  # after\nscopes: []\n"},
		"no line end":       {"credentials:\n- a: 1", "credentials:\n- a: 1\n- " + line + "\n"},
		"empty flow list":   {"credentials: [] # none\nscopes: []\n", "credentials: [" + line + "] # none\nscopes: []\n"},
		"flow list":         {"credentials: [{a: 1}]\n", "credentials: [{a: 1}, " + line + "]\n"},
		"flow list in rows": {"credentials: [\n  {a: ä}, # x\n]\n", "credentials: [\n  {a: ä}, # x" + "\n]\n"},
		"windows line ends": {"credentials:\r\n- a: 1\r\nscopes: []\r\n", "credentials:\r\n- a: 1\r\n- " + line + "\r\nscopes: []\r\n"},
		"nested block item": {"credentials:\n- a:\n  - 1\n  - 2\nusers: []\n", "credentials:\n- a:\n  - 1\n  - 2\n- " + line + "\nusers: []\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := file.Append([]byte(tt.text), "credentials", entry)
			if name == "flow list in rows" { // a comment before the bracket would swallow the entry
				if err == nil || !strings.Contains(err.Error(), line) {
					t.Errorf("Append = %q, %v; want an error that shows the entry", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestAppendedCredentialsWork(t *testing.T) {
	t.Parallel()
	odd := "tricky: \"key\" #1"
	text := []byte(strings.Replace(fixture, "scopes: [read, write]", "scopes: [read, write, 'yes']", 1))
	for _, entry := range []file.Entry{
		file.KeyCredential(consumer.TypeKeyAuth, "bob", odd, "s3cret", []string{"read", "yes"}),
		file.KeyCredential(consumer.TypeJWT, "shop", "0123", "", nil),
		file.PasswordCredential(consumer.TypeOAuth2, "e5f6", "$2a$04$7d7fcizIxGHyNfWP2qzspuy2ILPfjmO3i8jIe9K6N0BrXbSHcvWiK", nil),
	} {
		var err error
		if text, err = file.Append(text, "credentials", entry); err != nil {
			t.Fatal(err)
		}
	}
	store, _ := newTestStore(t, string(text))
	cred, err := store.Credential(t.Context(), consumer.TypeKeyAuth, odd)
	if err != nil || !cred.HasScopes([]string{"read", "yes"}) {
		t.Errorf("the key with an odd id: %v, %v", cred, err)
	}
	for kind, id := range map[consumer.CredentialType]string{consumer.TypeJWT: "0123", consumer.TypeOAuth2: "e5f6"} {
		if _, err := store.Credential(t.Context(), kind, id); err != nil {
			t.Errorf("%s %s: %v", kind, id, err)
		}
	}
	if strings.Contains(string(text), "s3cret") {
		t.Error("the secret stands in the file")
	}
}
