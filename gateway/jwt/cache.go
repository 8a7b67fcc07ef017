package jwt

import (
	"time"

	"egk8s.dev/egk8s/gateway/cache"
)

// cacheLife is how long a verified token is remembered at most. Nothing but its end can make a good
// signature bad, so that this bounds memory only.
const cacheLife = 5 * time.Minute

// Cache remembers verified tokens, of any number of verifiers: what one accepted never counts for another.
// It knows tokens by a keyed hash only. A nil Cache remembers nothing.
type Cache struct {
	tokens *cache.Cache[*Token]
}

// NewCache returns an empty cache of some ten thousand tokens.
func NewCache() *Cache { return &Cache{cache.New[*Token](cache.Options{})} }

// Verify is v.Verify, which is asked for a token that is not remembered.
func (c *Cache) Verify(v *Verifier, token string, now time.Time) (*Token, error) {
	if c == nil || len(token) > MaxLength {
		return v.Verify(token, now)
	}
	key := c.tokens.Key(v.identity, token)
	if t, ok := c.tokens.Get(key, now); ok {
		return t, nil
	}
	t, err := v.Verify(token, now)
	if err != nil {
		return nil, err
	}
	ends := now.Add(cacheLife)
	if !t.Expires.IsZero() && t.Expires.Before(ends) {
		ends = t.Expires
	}
	size := 256
	if t.Claims != nil {
		size += 3 * len(token) // maps and boxes take more than text
	}
	c.tokens.Put(key, t, int64(size), ends)
	return t, nil
}
