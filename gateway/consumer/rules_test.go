package consumer_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/memory"
)

// world is a service over an empty memory store, with a clock that a test moves.
type world struct {
	*consumer.Service
	t   *testing.T
	now time.Time
}

func newTestWorld(t *testing.T, models map[string]string) *world {
	t.Helper()
	files := map[string][]byte{}
	for name, text := range models {
		files[name] = []byte(text)
	}
	parsed, err := consumer.ParseModels(files)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w.Service, err = consumer.New(memory.New(), consumer.Options{
		Models: parsed, BcryptCost: bcrypt.MinCost, Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) user(name string) *consumer.Consumer {
	w.t.Helper()
	c, err := w.CreateUser(w.t.Context(), fields{"username": name, "firstname": "F", "lastname": "L"})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) app(owner, name string) *consumer.Consumer {
	w.t.Helper()
	c, err := w.CreateApplication(w.t.Context(), owner, fields{"name": name})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) key(owner, id string, scopes ...any) *consumer.Credential {
	w.t.Helper()
	ask := consumer.NewCredential{Type: consumer.TypeKeyAuth, Fields: fields{"keyId": id, "keySecret": "s", "scopes": scopes}}
	cred, _, err := w.CreateCredential(w.t.Context(), owner, ask)
	if err != nil {
		w.t.Fatal(err)
	}
	return cred
}

type fields = map[string]any

// refused compares the class and the text of a mistake.
func refused(t *testing.T, err error, class consumer.Class, text string) {
	t.Helper()
	var mistake *consumer.Error
	if !errors.As(err, &mistake) {
		t.Errorf("error %v, want a mistake with %q", err, text)
		return
	}
	if mistake.Class != class || !strings.Contains(mistake.Message, text) {
		t.Errorf("mistake %d %q, want %d %q", mistake.Class, mistake.Message, class, text)
	}
}

func TestCreateUserRules(t *testing.T) {
	t.Parallel()
	full := func(more fields) fields {
		f := fields{"username": "al", "firstname": "A", "lastname": "L"}
		maps.Copy(f, more)
		return f
	}
	for name, tt := range map[string]struct {
		ask     fields
		class   consumer.Class
		refused string
		want    fields
	}{
		"as asked":        {ask: full(nil), want: fields{"firstname": "A", "lastname": "L"}},
		"unknown fields":  {ask: full(fields{"shoe": 44.0}), want: fields{"firstname": "A", "lastname": "L", "shoe": 44.0}},
		"own fields stay": {ask: full(fields{"id": "x", "isActive": false}), want: fields{"firstname": "A", "lastname": "L"}},
		"number as text":  {ask: full(fields{"firstname": 7.5}), want: fields{"firstname": "7.5", "lastname": "L"}},
		"nothing":         {ask: nil, refused: "required property 'username'"},
		"missing":         {ask: fields{"username": "al", "firstname": "A"}, refused: "required property 'lastname'"},
		"empty username":  {ask: full(fields{"username": ""}), refused: "invalid username"},
		"wrong type":      {ask: full(fields{"firstname": []any{}}), refused: "data.firstname"},
		"bad email":       {ask: full(fields{"email": "nope"}), refused: "data.email"},
		"bad uri":         {ask: full(fields{"redirectUri": "nope"}), refused: "data.redirectUri"},
		"taken":           {ask: full(fields{"username": "taken"}), class: consumer.Conflict, refused: "username already exists"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTestWorld(t, nil)
			w.user("taken")
			got, err := w.CreateUser(t.Context(), tt.ask)
			if tt.refused != "" {
				refused(t, err, tt.class, tt.refused)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Properties); diff != "" {
				t.Errorf("properties (-want +got)\n%s", diff)
			}
			if !got.IsActive || len(got.ID) != 36 || !got.CreatedAt.Equal(w.now) || !got.UpdatedAt.Equal(w.now) {
				t.Errorf("user %+v", got)
			}
		})
	}
}

const editedUsers = `{"$id": "u", "type": "object", "required": ["badge"], "properties": {
	"username": {"type": "string"}, "badge": {"type": "string", "isMutable": false}, "team": {"type": "string", "default": "core"}}}`

func TestUpdateUserRules(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		who     string
		ask     fields
		class   consumer.Class
		refused string
		want    fields
	}{
		"a field":           {who: "al", ask: fields{"team": "x"}, want: fields{"badge": "7", "team": "x"}},
		"username is kept":  {who: "al", ask: fields{"username": "x"}, want: fields{"badge": "7", "team": "core"}},
		"unknown field":     {who: "al", ask: fields{"zzz": "x", "team": "x"}, refused: "one or more properties is invalid"},
		"immutable field":   {who: "al", ask: fields{"badge": "8", "team": "x"}, refused: "one or more properties is immutable"},
		"unknown user":      {who: "bob", ask: fields{"team": "x"}, class: consumer.Missing, refused: "User not found: bob"},
		"own field refused": {who: "al", ask: fields{"isActive": false}, refused: "one or more properties is invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTestWorld(t, map[string]string{"users.json": editedUsers})
			before, err := w.CreateUser(t.Context(), fields{"username": "al", "badge": "7"})
			if err != nil {
				t.Fatal(err)
			}
			w.now = w.now.Add(time.Hour)
			_, err = w.UpdateUser(t.Context(), tt.who, tt.ask)
			after, findErr := w.FindUser(t.Context(), before.ID)
			if findErr != nil {
				t.Fatal(findErr)
			}
			if tt.refused != "" {
				refused(t, err, tt.class, tt.refused)
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("a refused update changed something\n%s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, after.Properties); diff != "" {
				t.Errorf("properties (-want +got)\n%s", diff)
			}
			if after.Username != "al" || !after.CreatedAt.Equal(before.CreatedAt) {
				t.Errorf("user %+v", after)
			}
		})
	}
}

func TestApplicationRules(t *testing.T) {
	t.Parallel()
	w, ctx := newTestWorld(t, nil), t.Context()
	al := w.user("al")
	w.user("bob")
	shop := w.app("al", "shop")
	w.app("bob", "both")
	w.app(al.ID, "both")
	if shop.UserID != al.ID {
		t.Errorf("owner %s, want %s", shop.UserID, al.ID)
	}
	create := func(owner string, f fields) error { _, err := w.CreateApplication(ctx, owner, f); return err }
	update := func(name string, f fields) error { _, err := w.UpdateApplication(ctx, name, f); return err }
	find := func(name string) error { _, err := w.FindApplication(ctx, name); return err }
	for name, tt := range map[string]struct {
		err   error
		class consumer.Class
		want  string
	}{
		"no owner":         {create("", fields{"name": "x"}), consumer.Invalid, "invalid username"},
		"unknown owner":    {create("eve", fields{"name": "x"}), consumer.Conflict, "The specified user does not exist"},
		"an app as owner":  {create(shop.ID, fields{"name": "x"}), consumer.Conflict, "The specified user does not exist"},
		"no name":          {create("al", fields{}), consumer.Invalid, "required property 'name'"},
		"unknown field":    {create("al", fields{"name": "x", "zzz": 1.0}), consumer.Invalid, "one or more property is invalid"},
		"same name":        {create("al", fields{"name": "shop"}), consumer.Conflict, "already has an application"},
		"update unknown":   {update("zzz", fields{}), consumer.Missing, "Application not found: zzz"},
		"update field":     {update("shop", fields{"zzz": 1.0}), consumer.Invalid, "one or more properties is invalid"},
		"rename to taken":  {update("shop", fields{"name": "both"}), consumer.Conflict, "already has an application"},
		"rename to no":     {update("shop", fields{"name": ""}), consumer.Invalid, "not empty"},
		"two of one name":  {find("both"), consumer.Conflict, "Multiple applications"},
		"a user is no app": {find(al.ID), consumer.Missing, "Application not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused(t, tt.err, tt.class, tt.want)
		})
	}
	renamed, err := w.UpdateApplication(ctx, "shop", fields{"name": "market", "redirectUri": "http://x"})
	if err != nil || renamed.Name != "market" || renamed.Properties["redirectUri"] != "http://x" {
		t.Fatalf("rename: %+v, %v", renamed, err)
	}
	if err := find("market"); err != nil {
		t.Errorf("the new name: %v", err)
	}
	refused(t, find("shop"), consumer.Missing, "Application not found: shop")
}

func TestDeactivationTakesApplicationsAlong(t *testing.T) {
	t.Parallel()
	w, ctx := newTestWorld(t, nil), t.Context()
	w.user("al")
	shop := w.app("al", "shop")
	w.key(shop.ID, "k")
	works := func() bool { _, _, err := w.AuthenticateKey(ctx, "k", "s"); return err == nil }
	for i, tt := range []struct {
		do              func() (bool, error)
		changed, worksK bool
	}{
		{func() (bool, error) { return w.SetUserActive(ctx, "al", true) }, false, true},
		{func() (bool, error) { return w.SetUserActive(ctx, "al", false) }, true, false},
		{func() (bool, error) { return w.SetUserActive(ctx, "al", false) }, false, false},
		{func() (bool, error) { return w.SetUserActive(ctx, "al", true) }, true, false}, // the application stays off
		{func() (bool, error) { return w.SetApplicationActive(ctx, "shop", true) }, true, true},
		{func() (bool, error) { return w.SetCredentialActive(ctx, consumer.TypeKeyAuth, "k", false) }, true, false},
		{func() (bool, error) { return w.SetCredentialActive(ctx, consumer.TypeKeyAuth, "k", true) }, true, true},
	} {
		changed, err := tt.do()
		if err != nil || changed != tt.changed || works() != tt.worksK {
			t.Errorf("%d: changed %v (%v), the key works: %v; want %v and %v", i, changed, err, works(), tt.changed, tt.worksK)
		}
	}
}

func TestDeleteCascades(t *testing.T) {
	t.Parallel()
	w, ctx := newTestWorld(t, nil), t.Context()
	al, bob := w.user("al"), w.user("bob")
	shop := w.app("al", "shop")
	w.key(al.ID, "k1")
	w.key(shop.ID, "k2")
	w.key(bob.ID, "k3")
	if err := w.DeleteUser(ctx, "al"); err != nil {
		t.Fatal(err)
	}
	_, err := w.FindApplication(ctx, shop.ID)
	refused(t, err, consumer.Missing, "Application not found")
	left, err := w.Credentials(ctx, "")
	if err != nil || len(left) != 1 || left[0].ID != "k3" {
		t.Errorf("credentials left: %v, %v", left, err)
	}
	refused(t, w.DeleteUser(ctx, "al"), consumer.Missing, "User not found: al")
	w.user("al") // the name is free again
}
