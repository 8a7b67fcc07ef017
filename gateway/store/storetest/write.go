package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"egk8s.dev/egk8s/gateway/consumer"
)

// Write runs the writing half of the contract; open returns a store that holds Fixture and can be written.
func Write(t *testing.T, open func(t *testing.T) consumer.Store) {
	t.Helper()
	t.Run("a failed change leaves nothing", func(t *testing.T) { rollback(t, open(t)) })
	t.Run("a change reads what it wrote", func(t *testing.T) { ownWrites(t, open(t)) })
	t.Run("a renamed application", func(t *testing.T) { rename(t, open(t)) })
	t.Run("deleting", func(t *testing.T) { deleting(t, open(t)) })
	t.Run("pages of a list that shrinks", func(t *testing.T) { shrinking(t, open(t)) })
	t.Run("writers at the same time", func(t *testing.T) { concurrent(t, open(t)) })
}

// rollback does one of each write and fails.
func rollback(t *testing.T, store consumer.Store) {
	ctx, data, broken := t.Context(), Fixture(), errors.New("changed my mind")
	err := store.Update(ctx, func(tx consumer.Tx) error {
		renamed := data.Consumers[2]
		renamed.Name = "other"
		for i, err := range []error{
			tx.PutConsumer(ctx, &consumer.Consumer{Kind: consumer.KindUser, ID: "n1", Username: "new"}),
			tx.PutConsumer(ctx, &renamed),
			tx.DeleteCredential(ctx, consumer.TypeKeyAuth, "k1"),
			tx.DeleteConsumer(ctx, "a1b2"),
			tx.PutCredential(ctx, &consumer.Credential{Type: consumer.TypeJWT, ID: "n2", ConsumerID: "c3d4"}),
			tx.PutCredential(ctx, &consumer.Credential{Type: consumer.TypeJWT, ID: "k1", ConsumerID: "c3d4"}),
			tx.PutScope(ctx, "new"),
			tx.DeleteScope(ctx, "read"),
		} {
			if err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatalf("Update: %v, want the change's own error", err)
	}
	lookups(t, store, data)
	unknown(t, store)
	pages(t, store)
	if _, err := store.Consumer(ctx, "n1"); !errors.Is(err, consumer.ErrNotFound) {
		t.Errorf("Consumer(n1): %v, want ErrNotFound", err)
	}
	held, _ := store.Credentials(ctx, "a1b2")
	left, _ := store.Credentials(ctx, "c3d4")
	if len(held) != 3 || len(left) != 0 {
		t.Errorf("alice holds %d credentials and bob %d, want 3 and 0", len(held), len(left))
	}
	scopes, _ := store.Scopes(ctx)
	same(t, "Scopes", scopes, data.Scopes)
}

func ownWrites(t *testing.T, store consumer.Store) {
	ctx := t.Context()
	err := store.Update(ctx, func(tx consumer.Tx) error {
		if err := tx.PutConsumer(ctx, &consumer.Consumer{Kind: consumer.KindUser, ID: "n1", Username: "new"}); err != nil {
			return err
		}
		if _, err := tx.Consumer(ctx, "n1"); err != nil {
			return fmt.Errorf("by id: %w", err)
		}
		named, err := tx.Named(ctx, consumer.KindUser, "new")
		if err != nil || len(named) != 1 {
			return fmt.Errorf("by name: %v, %w", named, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func rename(t *testing.T, store consumer.Store) {
	ctx := t.Context()
	app := Fixture().Consumers[2]
	app.Name = "market"
	if err := store.Update(ctx, func(tx consumer.Tx) error { return tx.PutConsumer(ctx, &app) }); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"market": 1, "shop": 0} {
		if named, err := store.Named(ctx, consumer.KindApplication, name); err != nil || len(named) != want {
			t.Errorf("Named(%s) finds %d (%v), want %d", name, len(named), err, want)
		}
	}
	if apps, _ := store.Applications(ctx, "a1b2"); len(apps) != 1 {
		t.Errorf("alice has %d applications after the rename, want 1", len(apps))
	}
}

func deleting(t *testing.T, store consumer.Store) {
	ctx := t.Context()
	err := store.Update(ctx, func(tx consumer.Tx) error {
		return errors.Join(
			tx.DeleteConsumer(ctx, "e5f6"), tx.DeleteCredential(ctx, consumer.TypeKeyAuth, "k1"), tx.DeleteScope(ctx, "read"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Credential(ctx, consumer.TypeKeyAuth, "k1"); !errors.Is(err, consumer.ErrNotFound) {
		t.Errorf("the deleted key is still there: %v", err)
	}
	if _, err := store.Credential(ctx, consumer.TypeJWT, "k1"); err != nil {
		t.Errorf("a credential of another type with the same id went too: %v", err)
	}
	if apps, _ := store.Applications(ctx, "a1b2"); len(apps) != 0 {
		t.Errorf("the deleted application is still listed")
	}
	for what, remove := range map[string]func(tx consumer.Tx) error{
		"consumer":   func(tx consumer.Tx) error { return tx.DeleteConsumer(ctx, "e5f6") },
		"credential": func(tx consumer.Tx) error { return tx.DeleteCredential(ctx, consumer.TypeKeyAuth, "k1") },
		"scope":      func(tx consumer.Tx) error { return tx.DeleteScope(ctx, "read") },
	} {
		if err := store.Update(ctx, remove); !errors.Is(err, consumer.ErrNotFound) {
			t.Errorf("deleting the %s again: %v, want ErrNotFound", what, err)
		}
	}
}

// concurrent lets eight writers and a reader run at once; the race detector watches.
func concurrent(t *testing.T, store consumer.Store) {
	const writers, each = 8, 20
	ctx := t.Context()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				c := &consumer.Consumer{Kind: consumer.KindUser, ID: fmt.Sprintf("%d-%d", w, i), Username: fmt.Sprintf("u%d-%d", w, i)}
				if err := store.Update(ctx, func(tx consumer.Tx) error { return tx.PutConsumer(ctx, c) }); err != nil {
					t.Errorf("Update: %v", err)
				}
				if _, err := store.Consumer(ctx, c.ID); err != nil {
					t.Errorf("Consumer(%s) right after its creation: %v", c.ID, err)
				}
				_, _, _ = store.Consumers(ctx, consumer.KindUser, consumer.Page{})
			}
		})
	}
	all.Wait()
	users, _, err := store.Consumers(ctx, consumer.KindUser, consumer.Page{Count: 10 * writers * each})
	if err != nil || len(users) != 2+writers*each {
		t.Errorf("%d users (%v), want %d", len(users), err, 2+writers*each)
	}
}

// shrinking reads pages while those that were read are removed: nobody else is skipped, nobody comes twice.
func shrinking(t *testing.T, store consumer.Store) {
	ctx, seen := t.Context(), map[string]int{}
	remove := func(tx consumer.Tx, id string) error { return tx.DeleteConsumer(ctx, id) }
	err := store.Update(ctx, func(tx consumer.Tx) error {
		for i := range 25 {
			id := fmt.Sprintf("%02x000000-0000-4000-8000-000000000000", 7*i)
			if err := tx.PutConsumer(ctx, &consumer.Consumer{Kind: consumer.KindUser, ID: id, Username: "user" + id}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for start := 0; ; {
		users, next, err := store.Consumers(ctx, consumer.KindUser, consumer.Page{Start: start, Count: 4})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range users {
			seen[u.ID]++
		}
		if err := store.Update(ctx, func(tx consumer.Tx) error { return remove(tx, users[1].ID) }); err != nil {
			t.Fatal(err)
		}
		if start = next; start == 0 {
			break
		}
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s came %d times", id, times)
		}
	}
	if len(seen) != 27 {
		t.Errorf("%d of 27 users came", len(seen))
	}
}
