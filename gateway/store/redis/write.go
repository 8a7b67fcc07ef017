package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"egk8s.dev/egk8s/gateway/consumer"
)

// tx is a consumer.Tx over a change.
type tx struct {
	reader
	change *change
}

func newTx(on *change, keys layout) tx { return tx{reader{on, keys}, on} }

// PutConsumer stores a user or an application, and makes it found by its name and by its owner.
func (t tx) PutConsumer(ctx context.Context, c *consumer.Consumer) error {
	key := t.consumer(c.Kind, c.ID)
	found, err := t.hashes(ctx, key)
	if err != nil {
		return err
	}
	if found[0] != nil {
		if err := t.unlist(ctx, decodeConsumer(c.Kind, c.ID, found[0]), c); err != nil {
			return err
		}
	}
	if err := t.change.put(ctx, key, encodeConsumer(c)); err != nil {
		return err
	}
	if err := t.change.addMember(ctx, t.named(c.Kind, c.DisplayName()), c.ID); err != nil {
		return err
	}
	if c.Kind == consumer.KindApplication {
		return t.change.addMember(ctx, t.owned(c.UserID), c.ID)
	}
	return nil
}

// unlist removes from the indexes what next does not have in common with old; nil: everything.
func (t tx) unlist(ctx context.Context, old, next *consumer.Consumer) error {
	if next == nil || next.DisplayName() != old.DisplayName() {
		if err := t.change.dropMember(ctx, t.named(old.Kind, old.DisplayName()), old.ID); err != nil {
			return err
		}
	}
	if old.Kind == consumer.KindApplication && (next == nil || next.UserID != old.UserID) {
		return t.change.dropMember(ctx, t.owned(old.UserID), old.ID)
	}
	return nil
}

// DeleteConsumer removes a user or an application.
func (t tx) DeleteConsumer(ctx context.Context, id string) error {
	old, err := t.Consumer(ctx, id)
	if err != nil {
		return err
	}
	t.change.remove(t.consumer(old.Kind, id))
	return t.unlist(ctx, old, nil)
}

// PutCredential stores a credential.
func (t tx) PutCredential(ctx context.Context, c *consumer.Credential) error {
	if !slices.Contains(credentialTypes(), c.Type) {
		return fmt.Errorf("store credential: unknown type %q", c.Type)
	}
	if keyed(c.Type) && c.ID == c.ConsumerID {
		return &consumer.Error{Class: consumer.Conflict, Message: "a key id must not be the id of its consumer"}
	}
	old, err := t.Credential(ctx, c.Type, c.ID)
	if err != nil {
		old = &consumer.Credential{}
		if !isMissing(err) {
			return err
		}
	}
	key := t.credential(c.Type, c.ID)
	if err := t.change.put(ctx, key, encodeCredential(c)); err != nil {
		return err
	}
	if err := t.rescope(ctx, key, old.Scopes, c.Scopes); err != nil {
		return err
	}
	if !keyed(c.Type) {
		return nil
	}
	if old.ConsumerID != "" && old.ConsumerID != c.ConsumerID {
		if err := t.change.dropMember(ctx, t.credential(c.Type, old.ConsumerID), c.ID); err != nil {
			return err
		}
	}
	return t.change.addMember(ctx, t.credential(c.Type, c.ConsumerID), c.ID)
}

// rescope keeps the index of credentials by scope.
func (t tx) rescope(ctx context.Context, key string, before, after []string) error {
	for _, scope := range before {
		if !slices.Contains(after, scope) {
			if err := t.change.dropField(ctx, t.scoped(scope), key); err != nil {
				return err
			}
		}
	}
	for _, scope := range after {
		if err := t.change.addField(ctx, t.scoped(scope), key); err != nil {
			return err
		}
	}
	return nil
}

// DeleteCredential removes a credential.
func (t tx) DeleteCredential(ctx context.Context, kind consumer.CredentialType, id string) error {
	old, err := t.Credential(ctx, kind, id)
	if err != nil {
		return err
	}
	key := t.credential(kind, id)
	t.change.remove(key)
	if keyed(kind) {
		if err := t.change.dropMember(ctx, t.credential(kind, old.ConsumerID), id); err != nil {
			return err
		}
	}
	return t.rescope(ctx, key, old.Scopes, nil)
}

// PutScope adds a scope.
func (t tx) PutScope(ctx context.Context, scope string) error {
	return t.change.addField(ctx, t.scopes(), scope)
}

// DeleteScope removes a scope, also from credentials that were given it after the caller looked.
func (t tx) DeleteScope(ctx context.Context, scope string) error {
	all, err := t.Scopes(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(all, scope) {
		return consumer.ErrNotFound
	}
	index := t.scoped(scope)
	keys, err := t.fields(ctx, index)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := t.withoutScope(ctx, key, scope); err != nil {
			return err
		}
		if err := t.change.dropField(ctx, index, key); err != nil {
			return err
		}
	}
	return t.change.dropField(ctx, t.scopes(), scope)
}

func (t tx) withoutScope(ctx context.Context, key, scope string) error {
	found, err := t.hashes(ctx, key)
	if err != nil {
		return err
	}
	have := decodeScopes(found[0]["scopes"])
	if !slices.Contains(have, scope) {
		return nil
	}
	next := maps.Clone(found[0])
	next["scopes"] = encodeScopes(slices.DeleteFunc(have, func(one string) bool { return one == scope }))
	return t.change.put(ctx, key, next)
}
