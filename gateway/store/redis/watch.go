package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// invalidations is the channel on which Redis tells the keys that changed.
	invalidations = "__redis__:invalidate"
	// silence is how long the subscription may be silent before it is asked whether it lives.
	silence = time.Second
	// reconnect is how long to wait before the next try.
	reconnect = 250 * time.Millisecond
)

// Watch lets Redis tell of every change below the namespace, whoever made it (CLIENT TRACKING in broadcasting
// mode, Redis 6), until ctx ends. Its error is ctx's. When the subscription breaks, what is remembered counts
// for a second, or as long as Redis does not answer; when it is back, all is looked up anew.
func (s *Store) Watch(ctx context.Context) error {
	for {
		err := s.follow(ctx)
		s.state.live.Store(false)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		text := err.Error()
		s.state.failure.Store(&text)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(reconnect):
		}
	}
}

// follow subscribes once, until the connection breaks.
func (s *Store) follow(ctx context.Context) error {
	opts := *s.opts
	opts.PoolSize, opts.MinIdleConns, opts.PoolTimeout = 2, 0, dialTimeout
	opts.OnConnect = s.track
	client := goredis.NewUniversalClient(&opts)
	defer func() { _ = client.Close() }()
	sub := client.Subscribe(ctx, invalidations)
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() }) // a read does not end with its context
	defer func() {
		stop()
		_ = sub.Close()
	}()
	asked := false
	for ctx.Err() == nil {
		message, err := sub.ReceiveTimeout(ctx, silence)
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout() && !asked:
			if err := sub.Ping(ctx); err != nil {
				return fmt.Errorf("ping redis: %w", err)
			}
			asked = true
			continue
		case err != nil:
			return fmt.Errorf("follow redis: %w", err)
		}
		asked = false
		switch m := message.(type) {
		case *goredis.Subscription:
			if m.Kind == "subscribe" {
				s.cache.round.Add(1)
				s.state.live.Store(true)
				s.state.reached.Store(true)
				s.state.until.Store(0)
				s.state.failure.Store(nil)
			}
		case *goredis.Message:
			s.invalidate(m.PayloadSlice...)
		}
	}
	return ctx.Err()
}

// track asks Redis to send the keys that change to this very connection.
func (s *Store) track(ctx context.Context, conn *goredis.Conn) error {
	id, err := conn.ClientID(ctx).Result()
	if err != nil {
		return fmt.Errorf("ask for the id of a connection: %w", err)
	}
	args := []any{"CLIENT", "TRACKING", "ON", "REDIRECT", id, "BCAST", "PREFIX", s.namespace + "-"}
	if err := conn.Do(ctx, args...).Err(); err != nil {
		return fmt.Errorf("let redis tell of changes (CLIENT TRACKING, Redis 6): %w", err)
	}
	return nil
}

// Reached tells whether Redis answered since the store was opened.
func (s *Store) Reached() bool { return s.state.reached.Load() }

// Problem says what is wrong with Redis now; empty: nothing.
func (s *Store) Problem() string {
	if s.state.live.Load() && s.state.until.Load() == 0 {
		return ""
	}
	if text := s.state.failure.Load(); text != nil {
		return *text
	}
	return "not connected yet"
}

// Where names the Redis, for messages.
func (s *Store) Where() string { return strings.Join(s.opts.Addrs, ", ") }

// WriteMetrics prints how look-ups went, in Prometheus' text format.
func (s *Store) WriteMetrics(b *strings.Builder) {
	up := 0
	if s.Problem() == "" {
		up = 1
	}
	fmt.Fprintf(b, "# HELP egk8s_redis_up Whether Redis answers and tells of changes.\n# TYPE egk8s_redis_up gauge\negk8s_redis_up %d\n", up)
	b.WriteString("# HELP egk8s_redis_lookups_total Look-ups of consumers and tokens: answered from memory, asked of Redis, " +
		"answered from memory since Redis did not answer, failed.\n# TYPE egk8s_redis_lookups_total counter\n")
	for _, one := range []struct {
		result string
		n      uint64
	}{
		{"memory", s.state.hits.Load()},
		{"redis", s.state.misses.Load()},
		{"last_known", s.state.stale.Load()},
		{"failed", s.state.failures.Load()},
	} {
		fmt.Fprintf(b, "egk8s_redis_lookups_total{result=\"%s\"} %d\n", one.result, one.n)
	}
}
