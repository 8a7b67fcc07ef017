package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"egk8s.dev/egk8s/gateway/ratelimit"
)

// Counters is a ratelimit.Source: a counter below rl:KEY that ends with its window, as Express Gateway's.
type Counters struct{ client goredis.UniversalClient }

// Counters returns the counters of rate limits in the same Redis.
func (s *Store) Counters() *Counters { return &Counters{s.client} }

// Take adds to each key's counter, all in one round trip, and one more for those that are new.
func (c *Counters) Take(ctx context.Context, asks []ratelimit.Ask) ([]ratelimit.Grant, error) {
	totals, lives := make([]*goredis.IntCmd, len(asks)), make([]*goredis.DurationCmd, len(asks))
	_, err := c.client.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for i, ask := range asks {
			totals[i], lives[i] = p.IncrBy(ctx, counter(ask.Key), ask.N), p.PTTL(ctx, counter(ask.Key))
		}
		return nil
	})
	if err != nil {
		return nil, failed("count", err)
	}
	grants := make([]ratelimit.Grant, len(asks))
	var fresh []int
	for i := range asks {
		grants[i] = ratelimit.Grant{Total: totals[i].Val(), Left: lives[i].Val()}
		if grants[i].Left <= 0 { // -1: it never ends; whoever sees that ends it
			grants[i].Left = max(asks[i].Window, time.Millisecond)
			fresh = append(fresh, i)
		}
	}
	if len(fresh) == 0 {
		return grants, nil
	}
	_, err = c.client.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for _, i := range fresh {
			p.PExpire(ctx, counter(asks[i].Key), grants[i].Left)
		}
		return nil
	})
	return grants, failed("end a window", err)
}

func counter(key string) string { return "rl:" + key }
