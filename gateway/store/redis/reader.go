package redis

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
)

// pageSize is how many consumers a page has when the caller does not say.
const pageSize = 100

// reader is a consumer.Reader over a view. Express Gateway keeps no order; lists are sorted by the second of
// creation, then by id. Scopes are in the order that Redis gives, which is that of creation up to some 100.
type reader struct {
	view
	layout
}

// Consumer finds a user or an application by its id.
func (r reader) Consumer(ctx context.Context, id string) (*consumer.Consumer, error) {
	kinds := []consumer.Kind{consumer.KindUser, consumer.KindApplication}
	found, err := r.hashes(ctx, r.consumer(kinds[0], id), r.consumer(kinds[1], id))
	if err != nil {
		return nil, err
	}
	for i, h := range found {
		if h != nil {
			return decodeConsumer(kinds[i], id, h), nil
		}
	}
	return nil, consumer.ErrNotFound
}

// Credential finds a credential by its type and id.
func (r reader) Credential(ctx context.Context, t consumer.CredentialType, id string) (*consumer.Credential, error) {
	if !slices.Contains(credentialTypes(), t) {
		return nil, consumer.ErrNotFound
	}
	found, err := r.hashes(ctx, r.credential(t, id))
	if err != nil {
		return nil, err
	}
	if found[0] == nil {
		return nil, consumer.ErrNotFound
	}
	return decodeCredential(t, id, found[0]), nil
}

// Named finds consumers by username or application name.
func (r reader) Named(ctx context.Context, kind consumer.Kind, name string) ([]*consumer.Consumer, error) {
	ids, err := r.members(ctx, r.named(kind, name))
	if err != nil {
		return nil, err
	}
	return r.consumers(ctx, kind, ids)
}

// Applications lists the applications of a user.
func (r reader) Applications(ctx context.Context, userID string) ([]*consumer.Consumer, error) {
	ids, err := r.members(ctx, r.owned(userID))
	if err != nil {
		return nil, err
	}
	return r.consumers(ctx, consumer.KindApplication, ids)
}

// consumers reads consumers by id and leaves out those that are gone.
func (r reader) consumers(ctx context.Context, kind consumer.Kind, ids []string) ([]*consumer.Consumer, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = r.consumer(kind, id)
	}
	found, err := r.hashes(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := make([]*consumer.Consumer, 0, len(ids))
	for i, h := range found {
		if h != nil {
			out = append(out, decodeConsumer(kind, ids[i], h))
		}
	}
	slices.SortFunc(out, func(a, b *consumer.Consumer) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Consumers lists one page of users or applications. Each page looks at all of them, since Redis has no order.
func (r reader) Consumers(ctx context.Context, kind consumer.Kind, page consumer.Page) (list []*consumer.Consumer, next int, err error) {
	prefix := r.consumer(kind, "")
	keys, err := r.scan(ctx, prefix)
	if err != nil {
		return nil, 0, err
	}
	dates, err := r.values(ctx, "createdAt", keys)
	if err != nil {
		return nil, 0, err
	}
	all := make([]place, len(keys))
	for i, key := range keys {
		id := strings.TrimPrefix(key, prefix)
		all[i] = place{placeOf(parseDate(dates[i]), id), id}
	}
	ids, next := pageOf(all, page)
	list, err = r.consumers(ctx, kind, ids)
	return list, next, err
}

// Credentials lists the credentials of a consumer, of all when the id is empty.
func (r reader) Credentials(ctx context.Context, consumerID string) ([]*consumer.Credential, error) {
	var keys []string
	for _, t := range credentialTypes() {
		some, err := r.credentialKeys(ctx, t, consumerID)
		if err != nil {
			return nil, err
		}
		keys = append(keys, some...)
	}
	found, err := r.hashes(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := make([]*consumer.Credential, 0, len(keys))
	for i, h := range found {
		if t, id, ok := r.credentialOf(keys[i]); ok && h != nil {
			out = append(out, decodeCredential(t, id, h))
		}
	}
	slices.SortStableFunc(out, func(a, b *consumer.Credential) int {
		order := 0
		if a.Type == b.Type {
			order = strings.Compare(a.ID, b.ID)
		}
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), rank(a.Type)-rank(b.Type), order)
	})
	return out, nil
}

func rank(t consumer.CredentialType) int { return slices.Index(credentialTypes(), t) }

// credentialKeys are the keys of one type, of one consumer or of all.
func (r reader) credentialKeys(ctx context.Context, t consumer.CredentialType, consumerID string) ([]string, error) {
	switch {
	case consumerID == "":
		return r.scan(ctx, r.credential(t, ""))
	case !keyed(t):
		return []string{r.credential(t, consumerID)}, nil
	}
	ids, err := r.members(ctx, r.credential(t, consumerID))
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = r.credential(t, id)
	}
	return keys, err
}

// Scopes lists every scope.
func (r reader) Scopes(ctx context.Context) ([]string, error) { return r.fields(ctx, r.scopes()) }
