package consumer

import (
	"context"
	"errors"
)

// ErrNotFound is what a store's look-up returns when it holds no such thing.
var ErrNotFound = errors.New("not found")

// ErrReadOnly is matched by the error of a write to a store that is changed elsewhere,
// for instance by deploying a new consumers.yml.
var ErrReadOnly = errors.New("read-only store")

// ReadOnlyError refuses a write and says where the change belongs.
type ReadOnlyError struct {
	// Where names the place to change, for instance "consumers.yml of the project".
	Where string
}

// Error says that nothing was written and where the change belongs.
func (e *ReadOnlyError) Error() string {
	return "consumers are read-only here; change them in " + e.Where
}

// Is matches ErrReadOnly.
func (e *ReadOnlyError) Is(target error) bool { return target == ErrReadOnly }

// ErrUnavailable is matched by the error of a store that cannot answer now. It says nothing about who asks.
var ErrUnavailable = errors.New("store is not available")

// UnavailableError says why a store cannot answer now; asking again later may help.
type UnavailableError struct{ Err error }

// Error returns the reason.
func (e *UnavailableError) Error() string { return "consumers are not available: " + e.Err.Error() }

// Is matches ErrUnavailable.
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// Unwrap returns the reason.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Finder is the hot path of a store: one local look-up each, no network, no lock, no allocation.
// What it returns is shared and must not be changed. An unknown id gives ErrNotFound.
type Finder interface {
	// Consumer finds a user or an application by its id.
	Consumer(ctx context.Context, id string) (*Consumer, error)
	// Credential finds a credential by its type and id (keyId, or the consumer's id).
	Credential(ctx context.Context, t CredentialType, id string) (*Credential, error)
}

// Reader is all that rules may ask of a store. Lists are in order of creation.
type Reader interface {
	Finder
	// Named finds users by username or applications by name; none is an empty list.
	Named(ctx context.Context, kind Kind, name string) ([]*Consumer, error)
	// Applications lists the applications of a user.
	Applications(ctx context.Context, userID string) ([]*Consumer, error)
	// Consumers lists one page of a kind; next is 0 after the last page.
	Consumers(ctx context.Context, kind Kind, page Page) (list []*Consumer, next int, err error)
	// Credentials lists the credentials of a consumer; an empty id lists all.
	Credentials(ctx context.Context, consumerID string) ([]*Credential, error)
	// Scopes lists every scope.
	Scopes(ctx context.Context) ([]string, error)
}

// Page is a part of a list.
type Page struct {
	Start int // what the page before returned as next; 0 begins
	Count int // at most so many; 0 means the store's own size
}

// Writer changes a store inside Update. A put value belongs to the store from then on.
type Writer interface {
	PutConsumer(ctx context.Context, c *Consumer) error
	DeleteConsumer(ctx context.Context, id string) error
	PutCredential(ctx context.Context, c *Credential) error
	DeleteCredential(ctx context.Context, t CredentialType, id string) error
	PutScope(ctx context.Context, scope string) error
	DeleteScope(ctx context.Context, scope string) error
}

// Tx is one change: its reads see its own writes.
type Tx interface {
	Reader
	Writer
}

// Store keeps consumers.
type Store interface {
	Reader
	// Update runs change alone; when change returns an error nothing of it stays.
	// A store that cannot be written returns an error matching ErrReadOnly and does not run change.
	Update(ctx context.Context, change func(Tx) error) error
}
