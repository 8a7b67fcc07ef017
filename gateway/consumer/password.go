package consumer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/crypto/bcrypt"

	"egk8s.dev/egk8s/gateway/cache"
)

// ErrBusy says that more passwords wait to be compared than can be soon. It says nothing about the password.
var ErrBusy = errors.New("too many passwords are being compared")

const (
	// passwordLife is how long a right password is remembered, as long as its hash does not change.
	passwordLife = 5 * time.Minute
	// passwordSize is about what remembering one takes.
	passwordSize = 128
	// queueLength is how many comparisons may wait for each one that runs.
	queueLength = 64
)

// passwords compares passwords with bcrypt hashes: few at a time, since each takes some 50 ms of a
// core and anybody can ask for one, and a right one once, since clients send it with every request.
type passwords struct {
	right   *cache.Cache[struct{}]
	flights cache.Flight[bool]
	running chan struct{} // holds one for each comparison that runs
	queue   chan struct{} // holds one for each that runs or waits
	// unknown is a hash at the usual cost that no password has.
	unknown string
}

func newPasswords(cost int) *passwords {
	workers := max(1, runtime.GOMAXPROCS(0)/2)
	return &passwords{
		right:   cache.New[struct{}](cache.Options{Entries: 8192, Bytes: 8192 * passwordSize}),
		running: make(chan struct{}, workers), queue: make(chan struct{}, workers*(1+queueLength)),
		unknown: fmt.Sprintf("$2a$%02d$AAAAAAAAAAAAAAAAAAAAAOAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", cost),
	}
}

// match tells whether password has the hash. What is remembered is bound to the hash, so that a
// password ends with its credential; a wrong password is compared each time.
func (p *passwords) match(ctx context.Context, hash, password string, now time.Time) (bool, error) {
	key := p.right.Key(hash, password)
	if _, ok := p.right.Get(key, now); ok {
		return true, nil
	}
	return p.flights.Do(ctx, key, func(ctx context.Context) (bool, error) {
		if _, ok := p.right.Get(key, now); ok {
			return true, nil // somebody was quicker
		}
		ok, err := p.compare(ctx, hash, password)
		if ok {
			p.right.Put(key, struct{}{}, passwordSize, now.Add(passwordLife))
		}
		return ok, err
	})
}

// compare waits for its turn, unless ctx ends.
func (p *passwords) compare(ctx context.Context, hash, password string) (bool, error) {
	select {
	case p.queue <- struct{}{}:
		defer func() { <-p.queue }()
	default:
		return false, ErrBusy
	}
	select {
	case p.running <- struct{}{}:
		defer func() { <-p.running }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil, nil
}
