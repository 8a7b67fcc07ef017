package redis

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	share "egk8s.dev/egk8s/gateway/cache"
	"egk8s.dev/egk8s/gateway/consumer"
)

const (
	// untracked is how long a record counts while nobody would tell of a change, and how long an id stays
	// unknown.
	untracked = time.Second
	// rest is how long Redis is left alone after it failed to answer.
	rest = 250 * time.Millisecond

	// tooSlow is how many answers in a row must come too late for that.
	tooSlow = 3

	spaceConsumer = "consumer"
	spaceUsername = "username"
	spaceAppName  = "application-name"
)

// spaceOf is the space of the cache that a key's first part belongs to; empty: it is not remembered.
func spaceOf(what string) string {
	switch what {
	case "user", "application":
		return spaceConsumer
	case "access-token":
		return string(consumer.AccessToken)
	case "refresh-token":
		return string(consumer.RefreshToken)
	case "key-auth", "jwt", "basic-auth", "oauth2", spaceUsername, spaceAppName:
		return what
	}
	return ""
}

// state is how Redis has been of late.
type state struct {
	live    atomic.Bool  // a subscription tells of changes
	reached atomic.Bool  // it answered once
	until   atomic.Int64 // Redis is left alone until then, in nanoseconds; 0: it answers
	slow    atomic.Int64 // answers in a row that came too late
	failure atomic.Pointer[string]
	hits, misses,
	stale, failures atomic.Uint64
}

var errResting = errors.New("redis did not answer a moment ago")

func isMissing(err error) bool { return errors.Is(err, consumer.ErrNotFound) }

// Consumer finds a user or an application by its id.
func (s *Store) Consumer(ctx context.Context, id string) (*consumer.Consumer, error) {
	v, err := s.lookup(ctx, spaceConsumer, id)
	c, _ := v.(*consumer.Consumer)
	return c, err
}

// Credential finds a credential by its type and id.
func (s *Store) Credential(ctx context.Context, t consumer.CredentialType, id string) (*consumer.Credential, error) {
	if !slices.Contains(credentialTypes(), t) {
		return nil, consumer.ErrNotFound
	}
	v, err := s.lookup(ctx, string(t), id)
	c, _ := v.(*consumer.Credential)
	return c, err
}

// Named finds consumers by username or application name.
func (s *Store) Named(ctx context.Context, kind consumer.Kind, name string) ([]*consumer.Consumer, error) {
	space := spaceUsername
	if kind == consumer.KindApplication {
		space = spaceAppName
	}
	v, err := s.lookup(ctx, space, name)
	if isMissing(err) {
		return nil, nil
	}
	ids, _ := v.([]string)
	out := make([]*consumer.Consumer, 0, len(ids))
	for _, id := range ids {
		c, missing := s.Consumer(ctx, id)
		if missing == nil && c.Kind == kind {
			out = append(out, c)
		} else if missing != nil && !isMissing(missing) {
			return nil, missing
		}
	}
	return out, err
}

// lookup answers from memory, or else from Redis within the time that a request may wait. While Redis does not answer, what is
// remembered counts on; what is not gives an error that matches consumer.ErrUnavailable.
func (s *Store) lookup(ctx context.Context, space, id string) (any, error) {
	if id == "" {
		return nil, consumer.ErrNotFound
	}
	r := s.cache.find(space, id)
	if r != nil && s.fresh(r) {
		s.state.hits.Add(1)
		return r.answer()
	}
	s.state.misses.Add(1)
	v, err := s.load(ctx, space, id)
	if err != nil && r != nil && !isMissing(err) && (r.value != nil || space == spaceConsumer) {
		// An unknown consumer may stay one, since no credential that is known leads there; an unknown
		// credential, token or name may have come into being, and is no 401.
		s.state.stale.Add(1)
		return r.answer()
	}
	return v, err
}

func (r *record) answer() (any, error) {
	if r.value == nil {
		return nil, consumer.ErrNotFound
	}
	return r.value, nil
}

// fresh tells whether a record needs no look at Redis.
func (s *Store) fresh(r *record) bool {
	if r.value != nil && s.state.live.Load() && r.round == s.cache.round.Load() {
		return true
	}
	return time.Since(r.loaded) < untracked && r.round == s.cache.round.Load()
}

// load asks Redis, once for all who ask for the same.
func (s *Store) load(ctx context.Context, space, id string) (any, error) {
	if !s.state.mayAsk(time.Now()) {
		return nil, failed("look up", errResting)
	}
	key := share.Key(sha256.Sum256([]byte(space + ":" + id)))
	v, err := s.flight.Do(ctx, key, func(ctx context.Context) (any, error) {
		ctx, cancel := context.WithTimeout(ctx, s.lookupTimeout)
		defer cancel()
		at := s.cache.begin(space, id)
		v, err := s.read(ctx, space, id)
		if err == nil || isMissing(err) {
			s.cache.put(at, space, id, v, time.Now())
			s.state.answered()
		} else {
			s.state.failed(ctx, err)
		}
		return v, err
	})
	if err != nil && !isMissing(err) {
		return nil, failed("look up", err)
	}
	return v, err
}

// read asks Redis for one record. The value is nil exactly when the error says that there is none.
func (s *Store) read(ctx context.Context, space, id string) (any, error) {
	switch space {
	case spaceConsumer:
		return some(s.reader.Consumer(ctx, id))
	case spaceUsername:
		return s.readNamed(ctx, consumer.KindUser, id)
	case spaceAppName:
		return s.readNamed(ctx, consumer.KindApplication, id)
	case string(consumer.AccessToken), string(consumer.RefreshToken):
		return some(s.readToken(ctx, consumer.TokenKind(space), id))
	}
	return some(s.reader.Credential(ctx, consumer.CredentialType(space), id))
}

func some[T any](v *T, err error) (any, error) {
	if v == nil || err != nil {
		return nil, err
	}
	return v, nil
}

func (s *Store) readNamed(ctx context.Context, kind consumer.Kind, name string) (any, error) {
	ids, err := s.members(ctx, s.named(kind, name))
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, consumer.ErrNotFound
	}
	slices.Sort(ids)
	return ids, nil
}

// mayAsk is false while Redis rests; after that one may try while the others wait for what comes of it.
func (s *state) mayAsk(now time.Time) bool {
	until := s.until.Load()
	return until == 0 || now.UnixNano() >= until && s.until.CompareAndSwap(until, now.Add(rest).UnixNano())
}

func (s *state) answered() {
	if !s.reached.Load() {
		s.reached.Store(true)
	}
	if s.slow.Load() != 0 {
		s.slow.Store(0)
	}
	if s.until.Load() != 0 {
		s.until.Store(0)
		s.failure.Store(nil)
	}
}

// failed lets Redis rest, unless it was not Redis that failed: too many asked at once, or all who asked left.
func (s *state) failed(ctx context.Context, err error) {
	s.failures.Add(1)
	if errors.Is(err, goredis.ErrPoolTimeout) || errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	if ctx.Err() != nil && s.slow.Add(1) < tooSlow {
		return
	}
	text := err.Error()
	s.failure.Store(&text)
	s.until.Store(time.Now().Add(rest).UnixNano())
}
