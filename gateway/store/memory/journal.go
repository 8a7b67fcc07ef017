package memory

import (
	"context"
	"slices"

	"egk8s.dev/egk8s/gateway/consumer"
)

// journal writes through to the store and remembers how to take each write back.
type journal struct {
	tx
	undo []func(context.Context) error
}

// rollback takes every write back, the last one first. The inverse of a write that succeeded
// cannot fail. The order of creation is kept.
func (j *journal) rollback(ctx context.Context) {
	for _, back := range slices.Backward(j.undo) {
		_ = back(ctx)
	}
}

// ordered restores the lists that a delete shortened, so that order survives a rollback.
func (j *journal) ordered() {
	users, apps, keys, scopes := j.users, j.apps, j.keys, j.scopes
	j.undo = append(j.undo, func(context.Context) error {
		j.users, j.apps, j.keys, j.scopes = users, apps, keys, scopes
		return nil
	})
}

func (j *journal) PutConsumer(ctx context.Context, c *consumer.Consumer) error {
	old := j.consumers.get(c.ID)
	j.undo = append(j.undo, func(ctx context.Context) error {
		if old == nil {
			return j.tx.DeleteConsumer(ctx, c.ID)
		}
		return j.tx.PutConsumer(ctx, old)
	})
	return j.tx.PutConsumer(ctx, c)
}

func (j *journal) DeleteConsumer(ctx context.Context, id string) error {
	if old := j.consumers.get(id); old != nil {
		j.ordered()
		number := j.numbers[id]
		j.undo = append(j.undo, func(ctx context.Context) error {
			err := j.tx.PutConsumer(ctx, old)
			j.numbers[id] = number
			return err
		})
	}
	return j.tx.DeleteConsumer(ctx, id)
}

func (j *journal) PutCredential(ctx context.Context, c *consumer.Credential) error {
	old, _ := j.Credential(ctx, c.Type, c.ID)
	if err := j.tx.PutCredential(ctx, c); err != nil {
		return err
	}
	j.undo = append(j.undo, func(ctx context.Context) error {
		if old == nil {
			return j.tx.DeleteCredential(ctx, c.Type, c.ID)
		}
		return j.tx.PutCredential(ctx, old)
	})
	return nil
}

func (j *journal) DeleteCredential(ctx context.Context, t consumer.CredentialType, id string) error {
	if old, _ := j.Credential(ctx, t, id); old != nil {
		j.ordered()
		j.undo = append(j.undo, func(ctx context.Context) error { return j.tx.PutCredential(ctx, old) })
	}
	return j.tx.DeleteCredential(ctx, t, id)
}

func (j *journal) PutScope(ctx context.Context, scope string) error {
	before := j.scopes
	j.undo = append(j.undo, func(context.Context) error { j.scopes = before; return nil })
	return j.tx.PutScope(ctx, scope)
}

func (j *journal) DeleteScope(ctx context.Context, scope string) error {
	before := j.scopes
	j.undo = append(j.undo, func(context.Context) error { j.scopes = before; return nil })
	return j.tx.DeleteScope(ctx, scope)
}
