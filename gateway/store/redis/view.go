package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"egk8s.dev/egk8s/gateway/consumer"
)

// batch is how many commands are sent before their answers are read.
const batch = 1000

// view reads values by key. What is missing, or of another type than asked for, is nil or empty.
type view interface {
	hashes(ctx context.Context, keys ...string) ([]hash, error)
	// values reads one field of each hash.
	values(ctx context.Context, field string, keys []string) ([]string, error)
	// members reads a set.
	members(ctx context.Context, key string) ([]string, error)
	// fields reads the names of the fields of a hash.
	fields(ctx context.Context, key string) ([]string, error)
	// scan finds the keys that begin with a prefix.
	scan(ctx context.Context, prefix string) ([]string, error)
}

// direct is the view of a connection or of a pool of them.
type direct struct{ on goredis.Cmdable }

// failed is a consumer.UnavailableError: whatever Redis says but an answer says nothing about who asks.
func failed(what string, err error) error {
	if err == nil || errors.Is(err, consumer.ErrUnavailable) {
		return err
	}
	return &consumer.UnavailableError{Err: fmt.Errorf("redis: %s: %w", what, err)}
}

// otherType tells that a key holds a value of another type.
func otherType(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") }

// pipelined sends commands in batches; each made command is returned when it has its answer.
func pipelined[C goredis.Cmder](ctx context.Context, on goredis.Cmdable, keys []string, add func(goredis.Pipeliner, string) C) ([]C, error) {
	commands := make([]C, 0, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), batch)
		pipe := on.Pipeline()
		for _, key := range keys[:n] {
			commands = append(commands, add(pipe, key))
		}
		keys = keys[n:]
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, goredis.Nil) && !otherType(err) {
			return nil, err
		}
	}
	return commands, nil
}

// hashes is nil for a key that is not there or no hash.
func (d direct) hashes(ctx context.Context, keys ...string) ([]hash, error) {
	commands, err := pipelined(ctx, d.on, keys, func(p goredis.Pipeliner, key string) *goredis.MapStringStringCmd {
		return p.HGetAll(ctx, key)
	})
	if err != nil {
		return nil, failed("read hashes", err)
	}
	out := make([]hash, len(keys))
	for i, command := range commands {
		h, err := command.Result()
		if err != nil && !otherType(err) {
			return nil, failed("read hash", err)
		}
		if len(h) > 0 {
			out[i] = h
		}
	}
	return out, nil
}

func (d direct) values(ctx context.Context, field string, keys []string) ([]string, error) {
	commands, err := pipelined(ctx, d.on, keys, func(p goredis.Pipeliner, key string) *goredis.StringCmd {
		return p.HGet(ctx, key, field)
	})
	if err != nil {
		return nil, failed("read fields", err)
	}
	out := make([]string, len(keys))
	for i, command := range commands {
		out[i] = command.Val()
	}
	return out, nil
}

func (d direct) members(ctx context.Context, key string) ([]string, error) {
	list, err := d.on.SMembers(ctx, key).Result()
	if otherType(err) {
		return nil, nil
	}
	return list, failed("read set", err)
}

func (d direct) fields(ctx context.Context, key string) ([]string, error) {
	list, err := d.on.HKeys(ctx, key).Result()
	if otherType(err) {
		return nil, nil
	}
	return list, failed("read fields", err)
}

func (d direct) scan(ctx context.Context, prefix string) ([]string, error) {
	var (
		out    []string
		seen   = map[string]bool{}
		cursor uint64
	)
	for {
		keys, next, err := d.on.Scan(ctx, cursor, pattern(prefix), batch).Result()
		if err != nil {
			return nil, failed("scan", err)
		}
		for _, key := range keys {
			if !seen[key] { // a key may come more than once
				seen[key] = true
				out = append(out, key)
			}
		}
		if cursor = next; cursor == 0 {
			return out, nil
		}
	}
}
