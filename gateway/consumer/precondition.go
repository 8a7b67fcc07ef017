package consumer

import "context"

type preconditionKey struct{}

// WithPrecondition lets the changes that are made with the context happen only when holds says nothing against
// it. It looks at what the change itself sees, so that nobody can change that between the look and the change.
func WithPrecondition(ctx context.Context, holds func(context.Context, Reader) error) context.Context {
	return context.WithValue(ctx, preconditionKey{}, holds)
}

// update changes the store unless the context's precondition speaks against it.
func (s *Service) update(ctx context.Context, change func(Tx) error) error {
	holds, _ := ctx.Value(preconditionKey{}).(func(context.Context, Reader) error)
	if holds == nil {
		return s.store.Update(ctx, change)
	}
	return s.store.Update(ctx, func(tx Tx) error {
		if err := holds(ctx, tx); err != nil {
			return err
		}
		return change(tx)
	})
}

// FindIn finds a user, by username or id, or an application, by id or name, in what a change sees.
func FindIn(ctx context.Context, from Reader, kind Kind, name string) (*Consumer, error) {
	if kind == KindApplication {
		return findApplication(ctx, from, name)
	}
	return findUser(ctx, from, name)
}
