// Package storetest is the contract that every store of consumers fulfils, as tests.
package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"egk8s.dev/egk8s/gateway/consumer"
)

// Data is what a store is filled with.
type Data struct {
	Consumers   []consumer.Consumer
	Credentials []consumer.Credential
	Scopes      []string
}

// Fixture is two users, of whom alice has an application and three credentials and bob nothing.
// No key secret stands in clear text, since not every store can keep one.
func Fixture() Data {
	return Data{
		Consumers: []consumer.Consumer{
			{
				Kind: consumer.KindUser, ID: "a1b2", Username: "alice", IsActive: true,
				Properties: map[string]any{"firstname": "A", "lastname": "L"},
			},
			{
				Kind: consumer.KindUser, ID: "c3d4", Username: "bob", IsActive: false,
				Properties: map[string]any{"firstname": "B", "lastname": "L"},
			},
			{Kind: consumer.KindApplication, ID: "e5f6", Name: "shop", UserID: "a1b2", IsActive: true},
		},
		Credentials: []consumer.Credential{
			{
				Type: consumer.TypeKeyAuth, ID: "k1", ConsumerID: "a1b2", IsActive: true,
				Scopes: []string{"read"}, KeySecretSHA256: consumer.HashSecret("secret1"),
			},
			{Type: consumer.TypeKeyAuth, ID: "k2", ConsumerID: "e5f6", KeySecretSHA256: consumer.HashSecret("secret2")},
			{Type: consumer.TypeJWT, ID: "k1", ConsumerID: "a1b2", IsActive: true},
			{Type: consumer.TypeBasicAuth, ID: "a1b2", ConsumerID: "a1b2", IsActive: true, PasswordBcrypt: BcryptOfPassword1},
		},
		Scopes: []string{"read", "write"},
	}
}

// BcryptOfPassword1 is the hash of "password1" at the lowest cost.
const BcryptOfPassword1 = "$2a$04$7d7fcizIxGHyNfWP2qzspuy2ILPfjmO3i8jIe9K6N0BrXbSHcvWiK"

// Fill puts data into a store that can be written.
func Fill(ctx context.Context, store consumer.Store, data Data) error {
	return store.Update(ctx, func(tx consumer.Tx) error {
		for _, scope := range data.Scopes {
			if err := tx.PutScope(ctx, scope); err != nil {
				return err
			}
		}
		for i := range data.Consumers {
			if err := tx.PutConsumer(ctx, &data.Consumers[i]); err != nil {
				return err
			}
		}
		for i := range data.Credentials {
			if err := tx.PutCredential(ctx, &data.Credentials[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// Read runs the reading half of the contract; open returns a store that holds Fixture.
func Read(t *testing.T, open func(t *testing.T) consumer.Store) {
	t.Helper()
	store, data := open(t), Fixture()
	t.Run("look-ups by id", func(t *testing.T) { lookups(t, store, data) })
	t.Run("unknown ids", func(t *testing.T) { unknown(t, store) })
	t.Run("lists", func(t *testing.T) { lists(t, store, data) })
	t.Run("pages", func(t *testing.T) { pages(t, store) })
	t.Run("the rules above it", func(t *testing.T) { rules(t, store) })
	t.Run("a look-up allocates nothing", func(t *testing.T) { allocations(t, store) })
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	ignore := cmp.Options{
		cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(consumer.Consumer{}, "CreatedAt", "UpdatedAt"),
		cmpopts.IgnoreFields(consumer.Credential{}, "CreatedAt", "UpdatedAt", "Properties"),
	}
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", what, diff)
	}
}

func lookups(t *testing.T, store consumer.Store, data Data) {
	for _, want := range data.Consumers {
		got, err := store.Consumer(t.Context(), want.ID)
		if err != nil {
			t.Fatalf("Consumer(%s): %v", want.ID, err)
		}
		same(t, want.ID, *got, want)
	}
	for _, want := range data.Credentials {
		got, err := store.Credential(t.Context(), want.Type, want.ID)
		if err != nil {
			t.Fatalf("Credential(%s, %s): %v", want.Type, want.ID, err)
		}
		same(t, want.ID, *got, want)
	}
}

func unknown(t *testing.T, store consumer.Store) {
	if _, err := store.Consumer(t.Context(), "nobody"); !errors.Is(err, consumer.ErrNotFound) {
		t.Errorf("Consumer(nobody): %v, want ErrNotFound", err)
	}
	for _, kind := range []consumer.CredentialType{consumer.TypeKeyAuth, consumer.TypeOAuth2, "zzz", ""} {
		if _, err := store.Credential(t.Context(), kind, "nothing"); !errors.Is(err, consumer.ErrNotFound) {
			t.Errorf("Credential(%s, nothing): %v, want ErrNotFound", kind, err)
		}
	}
	if named, err := store.Named(t.Context(), consumer.KindUser, "shop"); err != nil || len(named) != 0 {
		t.Errorf("Named(user, shop) = %v, %v; an application's name is no username", named, err)
	}
	if apps, err := store.Applications(t.Context(), "c3d4"); err != nil || len(apps) != 0 {
		t.Errorf("Applications(bob) = %v, %v, want none", apps, err)
	}
}

func lists(t *testing.T, store consumer.Store, data Data) {
	ctx := t.Context()
	named, err := store.Named(ctx, consumer.KindUser, "alice")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "Named(user, alice)", named, []*consumer.Consumer{&data.Consumers[0]})
	apps, err := store.Applications(ctx, "a1b2")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "Applications(alice)", apps, []*consumer.Consumer{&data.Consumers[2]})
	credentials, err := store.Credentials(ctx, "a1b2")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "Credentials(alice)", credentials,
		[]*consumer.Credential{&data.Credentials[0], &data.Credentials[2], &data.Credentials[3]})
	all, err := store.Credentials(ctx, "")
	if err != nil || len(all) != len(data.Credentials) {
		t.Errorf("Credentials() has %d entries (%v), want %d", len(all), err, len(data.Credentials))
	}
	scopes, err := store.Scopes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "Scopes", scopes, data.Scopes)
}

func pages(t *testing.T, store consumer.Store) {
	page := func(page consumer.Page) (names []string, next int) {
		users, next, err := store.Consumers(t.Context(), consumer.KindUser, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range users {
			names = append(names, u.Username)
		}
		return names, next
	}
	expect := func(what string, got []string, next int, want []string, more bool) {
		t.Helper()
		same(t, what, got, want)
		if (next != 0) != more {
			t.Errorf("%s: next = %d, more: %v", what, next, more)
		}
	}
	all, next := page(consumer.Page{})
	expect("all", all, next, []string{"alice", "bob"}, false)
	first, next := page(consumer.Page{Count: 1})
	expect("first page", first, next, []string{"alice"}, true)
	second, end := page(consumer.Page{Start: next, Count: 1})
	expect("second page", second, end, []string{"bob"}, false)
	beyond, end := page(consumer.Page{Start: next + 1})
	expect("beyond the last", beyond, end, nil, false)
	all, end = page(consumer.Page{Start: -1, Count: 1 << 62})
	expect("odd values", all, end, []string{"alice", "bob"}, false)
}

func rules(t *testing.T, store consumer.Store) {
	service, err := consumer.New(store, consumer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	who, _, err := service.AuthenticateKey(t.Context(), "k1", "secret1")
	if err != nil || who.Username != "alice" {
		t.Errorf("AuthenticateKey(k1) = %v, %v, want alice", who, err)
	}
	for id, secret := range map[string]string{"k1": "secret2", "k2": "secret2", "k3": "secret1"} {
		if _, _, err := service.AuthenticateKey(t.Context(), id, secret); !errors.Is(err, consumer.ErrUnauthorized) {
			t.Errorf("AuthenticateKey(%s, %s): %v, want ErrUnauthorized", id, secret, err)
		}
	}
	for _, name := range []string{"alice", "a1b2"} {
		if _, _, err := service.AuthenticatePassword(t.Context(), consumer.TypeBasicAuth, name, "password1"); err != nil {
			t.Errorf("AuthenticatePassword(%s): %v", name, err)
		}
	}
}

func allocations(t *testing.T, store consumer.Store) {
	ctx := t.Context()
	got := testing.AllocsPerRun(100, func() {
		cred, err := store.Credential(ctx, consumer.TypeKeyAuth, "k1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Consumer(ctx, cred.ConsumerID); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("finding a key and its owner costs %v allocations, want 0", got)
	}
}

// ReadOnly runs what a store that cannot be written must do.
func ReadOnly(t *testing.T, open func(t *testing.T) consumer.Store) {
	t.Helper()
	store := open(t)
	ran := false
	err := store.Update(t.Context(), func(consumer.Tx) error { ran = true; return nil })
	var refused *consumer.ReadOnlyError
	if !errors.As(err, &refused) || !errors.Is(err, consumer.ErrReadOnly) || refused.Where == "" {
		t.Errorf("Update: %v, want a ReadOnlyError that says where the change belongs", err)
	}
	if ran {
		t.Error("Update ran the change although nothing can be written")
	}
}
