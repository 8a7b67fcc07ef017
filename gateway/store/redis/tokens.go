package redis

import (
	"context"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"egk8s.dev/egk8s/gateway/consumer"
)

// Tokens is a consumer.TokenStore in the same Redis. Unlike Express Gateway's, tokens and codes go when they
// expire, and a revoked token is gone at once.
type Tokens struct{ store *Store }

// Tokens returns the tokens of the store.
func (s *Store) Tokens() *Tokens { return &Tokens{s} }

// Token finds a token by its id.
func (t *Tokens) Token(ctx context.Context, kind consumer.TokenKind, id string) (*consumer.Token, error) {
	if kind != consumer.AccessToken && kind != consumer.RefreshToken {
		return nil, consumer.ErrNotFound
	}
	v, err := t.store.lookup(ctx, string(kind), id)
	token, _ := v.(*consumer.Token)
	return token, err
}

func (s *Store) readToken(ctx context.Context, kind consumer.TokenKind, id string) (*consumer.Token, error) {
	found, err := s.hashes(ctx, s.token(kind, id))
	if err != nil {
		return nil, err
	}
	return s.decodeToken(kind, id, found[0])
}

// IssueToken stores fresh, or returns a valid token of the same grant.
func (t *Tokens) IssueToken(ctx context.Context, fresh *consumer.Token, now time.Time) (*consumer.Token, error) {
	s, out := t.store, fresh
	err := s.atomically(ctx, func(c *change) error {
		out = fresh
		index := s.issued(fresh.Kind, fresh.Grant.ConsumerID)
		found, err := c.hashes(ctx, index)
		if err != nil {
			return err
		}
		valid, last := s.sweep(c, fresh.Kind, index, found[0], now)
		same, err := s.sameGrant(ctx, c, fresh, valid)
		if same != nil || err != nil {
			out = same
			return err
		}
		key := s.token(fresh.Kind, fresh.ID)
		value := s.encodeToken(fresh)
		life := fresh.ExpiresAt.Sub(now)
		c.write(key, func(ctx context.Context, p goredis.Pipeliner) {
			p.HSet(ctx, key, value)
			p.PExpire(ctx, key, life)
			p.HSet(ctx, index, fresh.ID, epoch(fresh.ExpiresAt))
			p.PExpire(ctx, index, max(life, last.Sub(now)))
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// sweep removes the expired tokens of an index and returns the ids of the valid ones and when the last expires.
func (s *Store) sweep(c *change, kind consumer.TokenKind, index string, ids hash, now time.Time) (valid []string, last time.Time) {
	last = now
	for id, text := range ids {
		expires := instant(text)
		if now.Before(expires) {
			valid = append(valid, id)
			if expires.After(last) {
				last = expires
			}
			continue
		}
		key := s.token(kind, id)
		c.write(key, func(ctx context.Context, p goredis.Pipeliner) {
			p.HDel(ctx, index, id)
			p.Del(ctx, key)
		})
	}
	return valid, last
}

// sameGrant finds a valid token of an equal grant; nil: there is none.
func (s *Store) sameGrant(ctx context.Context, c *change, fresh *consumer.Token, ids []string) (*consumer.Token, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = s.token(fresh.Kind, id)
	}
	found, err := c.direct.hashes(ctx, keys...) // the index is watched, and tells of each that comes or goes
	if err != nil {
		return nil, err
	}
	for i, h := range found {
		// One that this cipherKey does not open is left alone.
		if token, err := s.decodeToken(fresh.Kind, ids[i], h); err == nil && token.Grant.Equal(&fresh.Grant) {
			return token, nil
		}
	}
	return nil, nil
}

// DeleteToken removes a token.
func (t *Tokens) DeleteToken(ctx context.Context, kind consumer.TokenKind, id string) error {
	s := t.store
	return s.atomically(ctx, func(c *change) error {
		key := s.token(kind, id)
		found, err := c.hashes(ctx, key)
		if err != nil {
			return err
		}
		if h := found[0]; h == nil || h["archived"] != "" {
			return consumer.ErrNotFound
		}
		index := s.issued(kind, found[0]["consumerId"])
		c.write(key, func(ctx context.Context, p goredis.Pipeliner) {
			p.Del(ctx, key)
			p.HDel(ctx, index, id)
		})
		return nil
	})
}

// PutCode stores a code.
func (t *Tokens) PutCode(ctx context.Context, code *consumer.Code) error {
	s := t.store
	return s.atomically(ctx, func(c *change) error {
		key, value := s.code(code.ID), encodeCode(code)
		c.write(key, func(ctx context.Context, p goredis.Pipeliner) {
			p.HSet(ctx, key, value)
			p.PExpire(ctx, key, code.ExpiresAt.Sub(code.CreatedAt))
		})
		return nil
	})
}

// TakeCode removes a good code and returns it.
func (t *Tokens) TakeCode(ctx context.Context, id string, now time.Time, good func(*consumer.Code) bool) (*consumer.Code, error) {
	s := t.store
	var code *consumer.Code
	err := s.atomically(ctx, func(c *change) error {
		code = nil
		key := s.code(id)
		found, err := c.hashes(ctx, key)
		if err != nil {
			return err
		}
		if found[0] == nil {
			return consumer.ErrNotFound
		}
		have := decodeCode(id, found[0])
		if !now.Before(have.ExpiresAt) || !good(have) {
			return consumer.ErrNotFound
		}
		code = have
		c.remove(key)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return code, nil
}

// epoch is a time in milliseconds, as JavaScript's Date.now.
func epoch(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func instant(text string) time.Time {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
