package consumer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/memory"
)

func TestCredentialRules(t *testing.T) {
	t.Parallel()
	w, ctx := newTestWorld(t, nil), t.Context()
	al, bob := w.user("al"), w.user("bob")
	if err := w.CreateScopes(ctx, []string{"read"}); err != nil {
		t.Fatal(err)
	}
	w.key(al.ID, "taken")
	create := func(owner string, kind consumer.CredentialType, f fields) error {
		_, _, err := w.CreateCredential(ctx, owner, consumer.NewCredential{Type: kind, Fields: f})
		return err
	}
	if err := create(al.ID, consumer.TypeBasicAuth, fields{"password": "p"}); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		err   error
		class consumer.Class
		want  string
	}{
		"no type":         {create(al.ID, "", nil), consumer.Invalid, "Invalid credentials"},
		"no owner":        {create("", consumer.TypeJWT, nil), consumer.Invalid, "Invalid credentials"},
		"unknown type":    {create(al.ID, "zzz", nil), consumer.Invalid, "Invalid credential type: zzz"},
		"unknown scope":   {create(al.ID, consumer.TypeKeyAuth, fields{"scopes": []any{"zzz"}}), consumer.Invalid, "One or more scopes don't exist"},
		"scopes no list":  {create(al.ID, consumer.TypeKeyAuth, fields{"scopes": 7.0}), consumer.Invalid, "list of strings"},
		"key id taken":    {create(bob.ID, consumer.TypeKeyAuth, fields{"keyId": "taken"}), consumer.Conflict, "already exists and is active"},
		"second password": {create(al.ID, consumer.TypeBasicAuth, nil), consumer.Conflict, "already exists and is active"},
		"long password":   {create(bob.ID, consumer.TypeBasicAuth, fields{"password": strings.Repeat("x", 73)}), consumer.Invalid, "72 bytes"},
		"key id no text":  {create(al.ID, consumer.TypeKeyAuth, fields{"keyId": []any{}}), consumer.Invalid, "data.keyId"},
		"password a list": {create(bob.ID, consumer.TypeOAuth2, fields{"secret": []any{}}), consumer.Invalid, "data.secret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, tt.err, tt.class, tt.want)
		})
	}
	if err := create(al.ID, consumer.TypeJWT, fields{"keyId": "taken"}); err != nil {
		t.Errorf("the same key id of another type: %v", err)
	}
	if err := create(al.ID, consumer.TypeOAuth2, nil); err != nil {
		t.Errorf("oauth2 beside basic-auth: %v", err)
	}
	if _, err := w.SetCredentialActive(ctx, consumer.TypeBasicAuth, al.ID, false); err != nil {
		t.Fatal(err)
	}
	if err := create(al.ID, consumer.TypeBasicAuth, fields{"password": "new"}); err != nil {
		t.Errorf("replacing an inactive password: %v", err)
	}
}

func TestGeneratedSecrets(t *testing.T) {
	t.Parallel()
	w, ctx := newTestWorld(t, nil), t.Context()
	al := w.user("al")
	key, _, err := w.CreateCredential(ctx, al.ID, consumer.NewCredential{Type: consumer.TypeKeyAuth})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.AuthenticateKey(ctx, key.ID, key.KeySecret); err != nil || len(key.ID) != 22 || key.ID == key.KeySecret {
		t.Errorf("generated key %q %q: %v", key.ID, key.KeySecret, err)
	}
	for kind, name := range map[consumer.CredentialType]string{consumer.TypeBasicAuth: "password", consumer.TypeOAuth2: "secret"} {
		cred, generated, err := w.CreateCredential(ctx, al.ID, consumer.NewCredential{Type: kind})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.AuthenticatePassword(ctx, kind, "al", generated); err != nil || cred.Properties["passwordKey"] != name {
			t.Errorf("generated %s %q of %v: %v", name, generated, cred.Properties, err)
		}
		if _, _, err := w.AuthenticatePassword(ctx, kind, "al", generated+"x"); !errors.Is(err, consumer.ErrUnauthorized) {
			t.Errorf("a wrong %s: %v", name, err)
		}
	}
	if _, _, err := w.AuthenticatePassword(ctx, consumer.TypeBasicAuth, "nobody", "x"); !errors.Is(err, consumer.ErrUnauthorized) {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestScopeRules(t *testing.T) {
	t.Parallel()
	w, ctx := newTestWorld(t, nil), t.Context()
	al := w.user("al")
	scopesOf := func() []string {
		cred, err := w.Credential(ctx, consumer.TypeKeyAuth, "k")
		if err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(slices.Values(cred.Scopes))
	}
	if err := w.CreateScopes(ctx, []string{"read", "write"}); err != nil {
		t.Fatal(err)
	}
	refused(t, w.CreateScopes(ctx, []string{"new", "read"}), consumer.Conflict, "One or more scopes already exist.")
	refused(t, w.CreateScopes(ctx, []string{"twice", "twice"}), consumer.Conflict, "already exist")
	refused(t, w.CreateScopes(ctx, []string{""}), consumer.Invalid, "name")
	refused(t, w.HasScope(ctx, "new"), consumer.Missing, "scope not found: new")
	w.key(al.ID, "k", "read")
	const kind = consumer.TypeKeyAuth
	for _, tt := range []struct {
		err  error
		want []string
	}{
		{w.AddCredentialScopes(ctx, kind, "k", "write"), nil},
		{w.AddCredentialScopes(ctx, kind, "k", "write"), nil},
	} {
		if tt.err != nil || !slices.Equal(scopesOf(), []string{"read", "write"}) {
			t.Errorf("after adding: %v, %v", scopesOf(), tt.err)
		}
	}
	refused(t, w.AddCredentialScopes(ctx, kind, "k", "zzz"), consumer.Invalid, "One or more scopes don't exist")
	refused(t, w.AddCredentialScopes(ctx, kind, "zzz", "zzz"), consumer.Invalid, "One or more scopes don't exist")
	refused(t, w.AddCredentialScopes(ctx, kind, "zzz", "read"), consumer.Missing, "No credential found with id: zzz")
	refused(t, w.SetCredentialScopes(ctx, kind, "k", []string{"zzz"}), consumer.Invalid, "don't exist")
	if err := w.RemoveCredentialScopes(ctx, kind, "k", "write", "zzz"); err != nil || !slices.Equal(scopesOf(), []string{"read"}) {
		t.Errorf("after removing: %v, %v", scopesOf(), err)
	}
	if err := w.SetCredentialScopes(ctx, kind, "k", []string{"read", "write"}); err != nil {
		t.Error(err)
	}
	if err := w.DeleteScope(ctx, "read"); err != nil || !slices.Equal(scopesOf(), []string{"write"}) {
		t.Errorf("after deleting the scope: %v, %v", scopesOf(), err)
	}
	refused(t, w.DeleteScope(ctx, "read"), consumer.Missing, "scope not found: read")
	if all, err := w.Scopes(ctx); err != nil || !slices.Equal(all, []string{"write"}) {
		t.Errorf("scopes %v, %v", all, err)
	}
}

func TestCredentialModelRules(t *testing.T) {
	t.Parallel()
	const model = `{"$id": "c", "properties": {
		"key-auth": {"required": ["scopes"], "properties": {"scopes": {"type": "array"}, "plan": {"type": "string", "default": "free"}}},
		"jwt": {"properties": {"scopes": {"default": ["read"]}}},
		"basic-auth": {"properties": {"passwordKey": {"default": "pin"}, "autoGeneratePassword": {"default": false}}}}}`
	w, ctx := newTestWorld(t, map[string]string{"credentials.json": model}), t.Context()
	al := w.user("al")
	if err := w.CreateScopes(ctx, []string{"read"}); err != nil {
		t.Fatal(err)
	}
	create := func(kind consumer.CredentialType, f fields) (*consumer.Credential, error) {
		cred, _, err := w.CreateCredential(ctx, al.ID, consumer.NewCredential{Type: kind, Fields: f})
		return cred, err
	}
	_, err := create(consumer.TypeKeyAuth, nil)
	refused(t, err, consumer.Invalid, "scopes are required")
	_, err = create(consumer.TypeOAuth2, nil)
	refused(t, err, consumer.Invalid, "Invalid credential type: oauth2")
	_, err = create(consumer.TypeBasicAuth, nil)
	refused(t, err, consumer.Invalid, "pin is required")
	if cred, err := create(consumer.TypeJWT, nil); err != nil || !slices.Equal(cred.Scopes, []string{"read"}) {
		t.Errorf("default scopes: %v, %v", cred, err)
	}
	if cred, err := create(consumer.TypeBasicAuth, fields{"pin": "1234"}); err != nil || cred.Properties["pin"] != nil {
		t.Errorf("own password key: %v, %v", cred, err)
	}
}

func TestModelsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON": "{", "no object": "[]", "no schema": `{"$id": "u", "type": "zzz"}`,
	} {
		if _, err := consumer.ParseModels(map[string][]byte{"users.json": []byte(text)}); err == nil || !strings.Contains(err.Error(), "users.json") {
			t.Errorf("%s: %v, want an error that names the file", name, err)
		}
	}
}

func TestKeysAreDifferentAndOfOneLength(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		key := consumer.NewKey()
		if len(key) != 22 || strings.Trim(key, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || seen[key] {
			t.Fatalf("key %q", key)
		}
		seen[key] = true
	}
}

// failing is a store that is away.
type failing struct{ *memory.Store }

var errAway = errors.New("store is away")

func (failing) Named(context.Context, consumer.Kind, string) ([]*consumer.Consumer, error) {
	return nil, errAway
}

func (failing) Update(context.Context, func(consumer.Tx) error) error { return errAway }

func TestAStoreThatIsAwayIsNoMistakeOfTheClient(t *testing.T) {
	t.Parallel()
	s, err := consumer.New(failing{memory.New()}, consumer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	_, createErr := s.CreateUser(ctx, fields{"username": "a", "firstname": "F", "lastname": "L"})
	_, findErr := s.FindUser(ctx, "a")
	_, _, passwordErr := s.AuthenticatePassword(ctx, consumer.TypeBasicAuth, "a", "x")
	for _, err := range []error{createErr, findErr, passwordErr} {
		var mistake *consumer.Error
		if !errors.Is(err, errAway) || errors.As(err, &mistake) || errors.Is(err, consumer.ErrUnauthorized) {
			t.Errorf("error %v, want the store's own", err)
		}
	}
}
