package redis

import (
	"context"
	"slices"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"egk8s.dev/egk8s/gateway/consumer"
)

// change is the view of one transaction: it watches every key that it reads, and what it writes is seen by
// its own reads and by nobody else before commit. Commit fails when a key changed that was read.
type change struct {
	on *goredis.Tx
	direct

	hashed map[string]hash     // as far as known; nil: there is none
	lists  map[string][]string // members of sets, and names of fields
	queue  []func(context.Context, goredis.Pipeliner)
	// written are the keys that commit changes.
	written []string
}

func newChange(on *goredis.Tx) *change {
	return &change{on: on, direct: direct{on}, hashed: map[string]hash{}, lists: map[string][]string{}}
}

// commit does all writes or none. The error is goredis.TxFailedErr when somebody else was quicker.
func (c *change) commit(ctx context.Context) error {
	if len(c.queue) == 0 {
		return nil
	}
	_, err := c.on.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		for _, write := range c.queue {
			write(ctx, p)
		}
		return nil
	})
	return err
}

func (c *change) watch(ctx context.Context, keys ...string) error {
	return failed("watch", c.on.Watch(ctx, keys...).Err())
}

func (c *change) hashes(ctx context.Context, keys ...string) ([]hash, error) {
	var unknown []string
	for _, key := range keys {
		if _, known := c.hashed[key]; !known {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		if err := c.watch(ctx, unknown...); err != nil {
			return nil, err
		}
		found, err := c.direct.hashes(ctx, unknown...)
		if err != nil {
			return nil, err
		}
		for i, key := range unknown {
			c.hashed[key] = found[i]
		}
	}
	out := make([]hash, len(keys))
	for i, key := range keys {
		out[i] = c.hashed[key]
	}
	return out, nil
}

func (c *change) values(ctx context.Context, field string, keys []string) ([]string, error) {
	found, err := c.hashes(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(keys))
	for i, h := range found {
		out[i] = h[field]
	}
	return out, nil
}

func (c *change) members(ctx context.Context, key string) ([]string, error) {
	return c.list(ctx, key, c.direct.members)
}

func (c *change) fields(ctx context.Context, key string) ([]string, error) {
	return c.list(ctx, key, c.direct.fields)
}

func (c *change) list(ctx context.Context, key string, read func(context.Context, string) ([]string, error)) ([]string, error) {
	if list, known := c.lists[key]; known {
		return slices.Clone(list), nil
	}
	if err := c.watch(ctx, key); err != nil {
		return nil, err
	}
	list, err := read(ctx, key)
	if err != nil {
		return nil, err
	}
	c.lists[key] = list
	return slices.Clone(list), nil
}

func (c *change) scan(ctx context.Context, prefix string) ([]string, error) {
	keys, err := c.direct.scan(ctx, prefix)
	if err != nil {
		return nil, err
	}
	keys = slices.DeleteFunc(keys, func(key string) bool {
		h, known := c.hashed[key]
		return known && h == nil
	})
	for key, h := range c.hashed {
		if h != nil && strings.HasPrefix(key, prefix) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// put replaces a hash. A key that holds something else is left alone: of keys and of jwt credentials Express
// Gateway keeps both the credential and the list of a consumer's credentials below one prefix.
func (c *change) put(ctx context.Context, key string, h hash) error {
	if err := c.takes(ctx, key, "hash"); err != nil {
		return err
	}
	c.hashed[key] = h
	c.write(key, func(ctx context.Context, p goredis.Pipeliner) {
		p.Del(ctx, key)
		p.HSet(ctx, key, h)
	})
	return nil
}

// remove deletes a hash.
func (c *change) remove(key string) {
	c.hashed[key] = nil
	c.write(key, func(ctx context.Context, p goredis.Pipeliner) { p.Del(ctx, key) })
}

// addMember adds to a set.
func (c *change) addMember(ctx context.Context, key, member string) error {
	if err := c.takes(ctx, key, "set"); err != nil {
		return err
	}
	return c.alter(ctx, key, member, true, c.members, func(ctx context.Context, p goredis.Pipeliner) { p.SAdd(ctx, key, member) })
}

func (c *change) dropMember(ctx context.Context, key, member string) error {
	return c.alter(ctx, key, member, false, c.members, func(ctx context.Context, p goredis.Pipeliner) { p.SRem(ctx, key, member) })
}

// addField sets a field of a hash that is a list to true.
func (c *change) addField(ctx context.Context, key, field string) error {
	return c.alter(ctx, key, field, true, c.fields, func(ctx context.Context, p goredis.Pipeliner) { p.HSet(ctx, key, field, "true") })
}

func (c *change) dropField(ctx context.Context, key, field string) error {
	return c.alter(ctx, key, field, false, c.fields, func(ctx context.Context, p goredis.Pipeliner) { p.HDel(ctx, key, field) })
}

// alter writes only what is not so yet.
func (c *change) alter(
	ctx context.Context, key, entry string, present bool,
	read func(context.Context, string) ([]string, error), write func(context.Context, goredis.Pipeliner),
) error {
	list, err := read(ctx, key)
	if err != nil || slices.Contains(list, entry) == present {
		return err
	}
	if present {
		list = append(list, entry)
	} else {
		list = slices.DeleteFunc(list, func(have string) bool { return have == entry })
	}
	c.lists[key] = list
	c.write(key, write)
	return nil
}

func (c *change) write(key string, how func(context.Context, goredis.Pipeliner)) {
	c.written = append(c.written, key)
	c.queue = append(c.queue, how)
}

// takes refuses to write a value of one type over one of another.
func (c *change) takes(ctx context.Context, key, kind string) error {
	if err := c.watch(ctx, key); err != nil {
		return err
	}
	have, err := c.on.Type(ctx, key).Result()
	if err != nil {
		return failed("read type", err)
	}
	if have != kind && have != "none" {
		return &consumer.Error{Class: consumer.Conflict, Message: "the id is in use for something else: " + key}
	}
	return nil
}
