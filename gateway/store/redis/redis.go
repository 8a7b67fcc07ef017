// Package redis keeps consumers and tokens in Redis exactly as Express Gateway 1.16.11 does, so that both can
// work on one Redis. Look-ups are answered from memory; Redis says what changed.
package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	share "egk8s.dev/egk8s/gateway/cache"
	"egk8s.dev/egk8s/gateway/consumer"
)

const (
	// lookupTimeout bounds how long a request waits for Redis by default.
	lookupTimeout = 40 * time.Millisecond
	// dialTimeout bounds how long a connection may take to be made, of which no request waits for more than
	// lookupTimeout.
	dialTimeout = 500 * time.Millisecond
	// commandTimeout bounds the commands of writes and lists.
	commandTimeout = 3 * time.Second
	// attempts is how often a change is tried that others overtake.
	attempts = 50
	// cached is how many records are remembered by default.
	cached = 1 << 19
)

// Options say which Redis, and how its content is to be read.
type Options struct {
	// Addresses are host:port or the path of a Unix socket; those of the sentinels when Master is set.
	Addresses []string
	// Master is the name that the sentinels know the Redis by; empty: no sentinels.
	Master             string
	SentinelUsername   string
	SentinelPassword   string
	Username, Password string
	DB                 int
	TLS                *tls.Config // nil: none
	Namespace          string      // of Express Gateway's keys; empty: EG
	// CipherKey is crypto.cipherKey of system.config.yml, which tokens are encrypted with.
	CipherKey string
	// Records is how many look-ups are remembered; 0: 524,288.
	Records int
	// LookupTimeout bounds how long a request waits for Redis; 0: 40 ms.
	LookupTimeout time.Duration
}

// Store is a consumer.Store. Watch must run for its look-ups to be remembered for longer than a second.
type Store struct {
	reader // of the pool, without the cache

	client goredis.UniversalClient
	opts   *goredis.UniversalOptions
	cipher *tokenCipher
	cache  *cache
	flight flight
	state  state
	// lookupTimeout bounds the look-ups of requests.
	lookupTimeout time.Duration
	// turn is held by the one who writes: writers of one process need not overtake each other.
	turn chan struct{}
}

// flight lets those who ask for the same record at once wait for one answer.
type flight = share.Flight[any]

// quiet keeps the client library from writing past the gateway's log; its errors reach us all the same.
var quiet = sync.OnceFunc(func() { goredis.SetLogger(noLog{}) }) //nolint:gochecknoglobals // the library's logger is global

type noLog struct{}

// Printf is for goredis.SetLogger.
func (noLog) Printf(context.Context, string, ...any) {}

// Open returns the store. It does not wait for Redis, which may come later.
func Open(o Options) (*Store, error) {
	if len(o.Addresses) == 0 {
		return nil, errors.New("open redis: no address")
	}
	quiet()
	options := &goredis.UniversalOptions{
		Addrs: o.Addresses, MasterName: o.Master, DB: o.DB, Username: o.Username, Password: o.Password,
		SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword, TLSConfig: o.TLS,
		Protocol: 2, // invalidations as messages of a subscription; Redis 6 and its forks speak both
		// A request that fails is told at once; who may wait asks again.
		MaxRetries: -1, DialerRetries: 1, DialTimeout: dialTimeout, ReadTimeout: commandTimeout, WriteTimeout: commandTimeout,
		ContextTimeoutEnabled: true, PoolSize: 32, MinIdleConns: 2, PoolTimeout: cmp.Or(o.LookupTimeout, lookupTimeout) * 3 / 4,
		DisableIdentity: true, // an ACL user may lack CLIENT SETINFO
	}
	if o.Master == "" {
		options.Addrs = o.Addresses[:1] // several without a master would be a cluster, which Express Gateway cannot use
	}
	client := goredis.NewUniversalClient(options)
	return &Store{
		reader: reader{direct{client}, layout{cmp.Or(o.Namespace, "EG")}},
		client: client, opts: options, cipher: newTokenCipher(o.CipherKey),
		cache: newCache(cmp.Or(o.Records, cached)), turn: make(chan struct{}, 1),
		lookupTimeout: cmp.Or(o.LookupTimeout, lookupTimeout),
	}, nil
}

// Close ends all connections.
func (s *Store) Close() error { return s.client.Close() }

// Update calls run on a view of its own and then does all its writes or none. It calls run again when
// somebody changed meanwhile what it read; Express Gateway may be one of those.
func (s *Store) Update(ctx context.Context, run func(consumer.Tx) error) error {
	return s.atomically(ctx, func(on *change) error { return run(newTx(on, s.layout)) })
}

// atomically is Update on the level of keys.
func (s *Store) atomically(ctx context.Context, run func(*change) error) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return failed("wait for another writer", context.Cause(ctx))
	}
	for attempt := range attempts {
		var inner error
		var on *change
		err := s.client.Watch(ctx, func(rtx *goredis.Tx) error {
			on = newChange(rtx)
			if inner = run(on); inner != nil {
				return nil //nolint:nilerr // the caller's error is told apart from Redis'
			}
			return on.commit(ctx)
		})
		if on != nil {
			s.invalidate(on.written...) // also when it is not known whether they were written
		}
		switch {
		case inner != nil:
			return inner
		case !errors.Is(err, goredis.TxFailedErr):
			return failed("write", err)
		}
		pause := time.Duration(rand.IntN(1+attempt)) * time.Millisecond //nolint:gosec // no secret
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return failed("write", context.Cause(ctx))
		}
	}
	return failed("write", errors.New("others change the same records all the time"))
}

// invalidate forgets what is remembered of keys.
func (s *Store) invalidate(keys ...string) {
	for _, key := range keys {
		rest, ok := strings.CutPrefix(key, s.namespace+"-")
		if !ok {
			continue
		}
		what, id, _ := strings.Cut(rest, ":")
		if space := spaceOf(what); space != "" {
			s.cache.invalidate(space, id)
		}
	}
}
