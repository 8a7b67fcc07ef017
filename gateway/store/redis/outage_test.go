package redis_test

import (
	"errors"
	"testing"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/redis/redistest"
	"egk8s.dev/egk8s/gateway/store/storetest"
)

// settle waits until a store was told of everything that is written so far.
func settle(t *testing.T, server *redistest.Server, store consumer.Store) {
	t.Helper()
	client := server.Client()
	defer func() { _ = client.Close() }()
	there := func() bool {
		_, err := store.Credential(t.Context(), consumer.TypeJWT, "marker")
		return err == nil
	}
	_ = there()
	if err := client.HSet(t.Context(), "EG-jwt:marker", "isActive", "true").Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the marker", there)
}

// TestOutage: while Redis is away what is remembered goes on, everything else is no 401, and it mends itself.
func TestOutage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, "EG")
	fill := func() {
		if err := storetest.Fill(t.Context(), store, storetest.Fixture()); err != nil {
			t.Fatal(err)
		}
	}
	fill()
	settle(t, server, store)
	service, err := consumer.New(store, consumer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	key := func(id string) error {
		_, _, err := service.AuthenticateKey(t.Context(), id, "secret1")
		return err
	}
	if err := key("k1"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := service.AuthenticatePassword(t.Context(), consumer.TypeBasicAuth, "alice", "password1"); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	eventually(t, "the loss to be seen", func() bool { return store.Problem() != "" })
	if err := key("k1"); err != nil {
		t.Errorf("a remembered key: %v", err)
	}
	if _, _, err := service.AuthenticatePassword(t.Context(), consumer.TypeBasicAuth, "alice", "password1"); err != nil {
		t.Errorf("a remembered user: %v", err)
	}
	if err := key("k2"); !errors.Is(err, consumer.ErrUnavailable) || errors.Is(err, consumer.ErrUnauthorized) {
		t.Errorf("a key that is not remembered: %v, want ErrUnavailable", err)
	}
	if err := storetest.Fill(t.Context(), store, storetest.Fixture()); !errors.Is(err, consumer.ErrUnavailable) {
		t.Errorf("a write: %v, want ErrUnavailable", err)
	}
	server.Restart() // without what it held
	eventually(t, "the subscription to come back", func() bool { return store.Problem() == "" })
	if err := key("k1"); !errors.Is(err, consumer.ErrUnauthorized) {
		t.Errorf("a key that Redis lost: %v, want ErrUnauthorized", err)
	}
	fill()
	if err := key("k1"); err != nil {
		t.Errorf("a key that came back: %v", err)
	}
}

// TestChangesOfOthers: what another replica or Express Gateway itself writes counts at once.
func TestChangesOfOthers(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	one, two := open(t, server, "EG"), open(t, server, "EG")
	if err := storetest.Fill(t.Context(), one, storetest.Fixture()); err != nil {
		t.Fatal(err)
	}
	active := func() bool {
		cred, err := two.Credential(t.Context(), consumer.TypeKeyAuth, "k1")
		if err != nil {
			t.Fatal(err)
		}
		return cred.IsActive
	}
	if !active() {
		t.Fatal("the key is not active")
	}
	service, err := consumer.New(one, consumer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.SetCredentialActive(t.Context(), consumer.TypeKeyAuth, "k1", false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a change by another replica", func() bool { return !active() })
	client := server.Client()
	defer func() { _ = client.Close() }()
	if err := client.HSet(t.Context(), "EG-key-auth:k1", "isActive", "true").Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a change by somebody else", active)
}

// TestOneKeyTwoTypes: the list of a consumer's keys is no key, and is not overwritten by one.
func TestOneKeyTwoTypes(t *testing.T) {
	t.Parallel()
	store := open(t, redistest.Start(t), "EG")
	if err := storetest.Fill(t.Context(), store, storetest.Fixture()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Credential(t.Context(), consumer.TypeKeyAuth, "a1b2"); !errors.Is(err, consumer.ErrNotFound) {
		t.Errorf("the list of alice's keys as a key: %v, want ErrNotFound", err)
	}
	var mistake *consumer.Error
	err := store.Update(t.Context(), func(tx consumer.Tx) error {
		return tx.PutCredential(t.Context(), &consumer.Credential{Type: consumer.TypeKeyAuth, ID: "a1b2", ConsumerID: "e5f6", KeySecret: "x"})
	})
	if !errors.As(err, &mistake) || mistake.Class != consumer.Conflict {
		t.Errorf("a key with the id of a consumer: %v, want a conflict", err)
	}
}
