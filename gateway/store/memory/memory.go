// Package memory keeps consumers in the memory of one process, as Express Gateway does with
// db.redis.emulate: they are lost when it ends and no second replica sees them.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"egk8s.dev/egk8s/gateway/consumer"
)

// pageSize is how many consumers a page has when the caller does not say.
const pageSize = 100

// Store is a consumer.Store. Its look-ups by id take no lock.
type Store struct {
	consumers   *index[consumer.Consumer]
	credentials map[consumer.CredentialType]*index[consumer.Credential] // never changed after New

	mu     sync.RWMutex // guards what follows, and all writes
	users  []string     // ids in order of creation
	apps   []string
	names  map[nameKey][]string // ids
	owned  map[string][]string  // ids of applications by user id
	keys   []credentialKey      // in order of creation
	held   map[string][]credentialKey
	scopes []string
	// numbers are those of consumers in order of creation, from 1: where a page begins does not move when others come
	// or go. last is the one given last.
	numbers map[string]int
	last    int
}

type nameKey struct {
	kind consumer.Kind
	name string
}

type credentialKey struct {
	kind consumer.CredentialType
	id   string
}

// New returns an empty store.
func New() *Store {
	s := &Store{
		consumers:   newIndex[consumer.Consumer](),
		credentials: map[consumer.CredentialType]*index[consumer.Credential]{},
		names:       map[nameKey][]string{},
		owned:       map[string][]string{},
		held:        map[string][]credentialKey{},
		numbers:     map[string]int{},
	}
	for _, t := range []consumer.CredentialType{
		consumer.TypeBasicAuth, consumer.TypeKeyAuth, consumer.TypeJWT, consumer.TypeOAuth2,
	} {
		s.credentials[t] = newIndex[consumer.Credential]()
	}
	return s
}

// Build returns a store that fill filled, which is quicker than an Update of a store that serves.
func Build(fill func(consumer.Tx) error) (*Store, error) {
	s := New()
	s.alone(true)
	if err := fill(tx{s}); err != nil {
		return nil, err
	}
	s.alone(false)
	return s, nil
}

// alone tells the indexes whether anybody may read meanwhile.
func (s *Store) alone(yes bool) {
	s.consumers.own = yes
	for _, byID := range s.credentials {
		byID.own = yes
	}
}

// Consumer finds a user or an application by its id.
func (s *Store) Consumer(_ context.Context, id string) (*consumer.Consumer, error) {
	if c := s.consumers.get(id); c != nil {
		return c, nil
	}
	return nil, consumer.ErrNotFound
}

// Credential finds a credential by its type and id.
func (s *Store) Credential(_ context.Context, t consumer.CredentialType, id string) (*consumer.Credential, error) {
	if byID := s.credentials[t]; byID != nil {
		if cred := byID.get(id); cred != nil {
			return cred, nil
		}
	}
	return nil, consumer.ErrNotFound
}

// Named finds consumers by username or application name.
func (s *Store) Named(ctx context.Context, kind consumer.Kind, name string) ([]*consumer.Consumer, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return tx{s}.Named(ctx, kind, name)
}

// Applications lists the applications of a user.
func (s *Store) Applications(ctx context.Context, userID string) ([]*consumer.Consumer, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return tx{s}.Applications(ctx, userID)
}

// Consumers lists one page of users or applications.
func (s *Store) Consumers(ctx context.Context, kind consumer.Kind, page consumer.Page) (list []*consumer.Consumer, next int, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return tx{s}.Consumers(ctx, kind, page)
}

// Credentials lists the credentials of a consumer, of all when the id is empty.
func (s *Store) Credentials(ctx context.Context, consumerID string) ([]*consumer.Credential, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return tx{s}.Credentials(ctx, consumerID)
}

// Scopes lists the scopes in order of creation.
func (s *Store) Scopes(ctx context.Context) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return tx{s}.Scopes(ctx)
}

// Update runs change alone among writers and undoes its writes when it fails.
// A look-up by id that runs meanwhile may see some of them.
func (s *Store) Update(ctx context.Context, change func(consumer.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	undo := &journal{tx: tx{s}}
	if err := change(undo); err != nil {
		undo.rollback(context.WithoutCancel(ctx))
		return err
	}
	return nil
}

// tx is the store while its lock is held.
type tx struct{ *Store }

func (t tx) Named(_ context.Context, kind consumer.Kind, name string) ([]*consumer.Consumer, error) {
	return t.all(t.names[nameKey{kind, name}]), nil
}

func (t tx) Applications(_ context.Context, userID string) ([]*consumer.Consumer, error) {
	return t.all(t.owned[userID]), nil
}

func (t tx) all(ids []string) []*consumer.Consumer {
	out := make([]*consumer.Consumer, 0, len(ids))
	for _, id := range ids {
		out = append(out, t.consumers.get(id))
	}
	return out
}

func (t tx) Consumers(_ context.Context, kind consumer.Kind, page consumer.Page) (list []*consumer.Consumer, next int, err error) {
	ids := *t.order(kind)
	if page.Count <= 0 {
		page.Count = pageSize
	}
	from, _ := slices.BinarySearchFunc(ids, page.Start, func(id string, number int) int { return cmp.Compare(t.numbers[id], number) })
	to := min(page.Count, len(ids)-from) + from
	if to < len(ids) {
		next = t.numbers[ids[to]]
	}
	return t.all(ids[from:to]), next, nil
}

func (t tx) Credentials(_ context.Context, consumerID string) ([]*consumer.Credential, error) {
	keys := t.keys
	if consumerID != "" {
		keys = t.held[consumerID]
	}
	out := make([]*consumer.Credential, 0, len(keys))
	for _, key := range keys {
		out = append(out, t.credentials[key.kind].get(key.id))
	}
	return out, nil
}

func (t tx) Scopes(context.Context) ([]string, error) { return slices.Clone(t.scopes), nil }

func (t tx) order(kind consumer.Kind) *[]string {
	if kind == consumer.KindApplication {
		return &t.apps
	}
	return &t.users
}

func (t tx) PutConsumer(_ context.Context, c *consumer.Consumer) error {
	old := t.consumers.set(c.ID, c)
	if old == nil {
		order := t.order(c.Kind)
		*order = append(*order, c.ID)
		t.last++
		t.numbers[c.ID] = t.last
		if c.Kind == consumer.KindApplication {
			t.owned[c.UserID] = append(t.owned[c.UserID], c.ID)
		}
	}
	if name := (nameKey{c.Kind, c.DisplayName()}); old == nil || old.DisplayName() != name.name {
		if old != nil {
			drop(t.names, nameKey{old.Kind, old.DisplayName()}, c.ID)
		}
		t.names[name] = append(t.names[name], c.ID)
	}
	return nil
}

func (t tx) DeleteConsumer(_ context.Context, id string) error {
	old := t.consumers.set(id, nil)
	if old == nil {
		return consumer.ErrNotFound
	}
	order := t.order(old.Kind)
	*order = without(*order, id)
	delete(t.numbers, id)
	drop(t.names, nameKey{old.Kind, old.DisplayName()}, id)
	if old.Kind == consumer.KindApplication {
		drop(t.owned, old.UserID, id)
	}
	return nil
}

func (t tx) PutCredential(_ context.Context, c *consumer.Credential) error {
	byID := t.credentials[c.Type]
	if byID == nil {
		return fmt.Errorf("store credential: unknown type %q", c.Type)
	}
	key := credentialKey{c.Type, c.ID}
	old := byID.set(c.ID, c)
	if old == nil {
		t.keys = append(t.keys, key)
	}
	if old == nil || old.ConsumerID != c.ConsumerID {
		if old != nil {
			drop(t.held, old.ConsumerID, key)
		}
		t.held[c.ConsumerID] = append(t.held[c.ConsumerID], key)
	}
	return nil
}

func (t tx) DeleteCredential(_ context.Context, kind consumer.CredentialType, id string) error {
	byID := t.credentials[kind]
	if byID == nil {
		return consumer.ErrNotFound
	}
	old := byID.set(id, nil)
	if old == nil {
		return consumer.ErrNotFound
	}
	key := credentialKey{kind, id}
	t.keys = without(t.keys, key)
	drop(t.held, old.ConsumerID, key)
	return nil
}

func (t tx) PutScope(_ context.Context, scope string) error {
	if !slices.Contains(t.scopes, scope) {
		t.scopes = append(t.scopes, scope)
	}
	return nil
}

func (t tx) DeleteScope(_ context.Context, scope string) error {
	if !slices.Contains(t.scopes, scope) {
		return consumer.ErrNotFound
	}
	t.scopes = without(t.scopes, scope)
	return nil
}

// without is a copy, so that what a reader was given stays as it was.
func without[T comparable](list []T, gone T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return x == gone })
}

func drop[K, T comparable](lists map[K][]T, key K, gone T) {
	if left := without(lists[key], gone); len(left) > 0 {
		lists[key] = left
	} else {
		delete(lists, key)
	}
}
