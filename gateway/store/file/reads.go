package file

import (
	"context"

	"egk8s.dev/egk8s/gateway/consumer"
)

// Consumer finds a user or an application by its id.
func (s *Store) Consumer(ctx context.Context, id string) (*consumer.Consumer, error) {
	return s.served.Load().Consumer(ctx, id)
}

// Credential finds a credential by its type and id.
func (s *Store) Credential(ctx context.Context, t consumer.CredentialType, id string) (*consumer.Credential, error) {
	return s.served.Load().Credential(ctx, t, id)
}

// Named finds consumers by username or application name.
func (s *Store) Named(ctx context.Context, kind consumer.Kind, name string) ([]*consumer.Consumer, error) {
	return s.served.Load().Named(ctx, kind, name)
}

// Applications lists the applications of a user.
func (s *Store) Applications(ctx context.Context, userID string) ([]*consumer.Consumer, error) {
	return s.served.Load().Applications(ctx, userID)
}

// Consumers lists one page of users or applications.
func (s *Store) Consumers(ctx context.Context, kind consumer.Kind, page consumer.Page) (list []*consumer.Consumer, next int, err error) {
	return s.served.Load().Consumers(ctx, kind, page)
}

// Credentials lists the credentials of a consumer, of all when the id is empty.
func (s *Store) Credentials(ctx context.Context, consumerID string) ([]*consumer.Credential, error) {
	return s.served.Load().Credentials(ctx, consumerID)
}

// Scopes lists the scopes.
func (s *Store) Scopes(ctx context.Context) ([]string, error) { return s.served.Load().Scopes(ctx) }

// Update refuses every change and says where it belongs.
func (s *Store) Update(context.Context, func(consumer.Tx) error) error {
	return &consumer.ReadOnlyError{Where: s.opts.Where}
}
