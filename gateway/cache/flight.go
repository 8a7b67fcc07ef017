package cache

import (
	"context"
	"fmt"
	"sync"
)

// Flight lets those who ask for the same thing at the same time wait for one answer.
// The zero value is ready.
type Flight[V any] struct {
	mu    sync.Mutex
	calls map[Key]*call[V]
}

type call[V any] struct {
	done    chan struct{}
	waiting int // guarded by Flight.mu
	cancel  context.CancelFunc
	value   V
	err     error
}

// Do returns what find returns, which runs once for all who ask for k meanwhile, on a context that ends
// when the last of them is gone. A panic of find is an error.
func (f *Flight[V]) Do(ctx context.Context, k Key, find func(context.Context) (V, error)) (V, error) {
	c := f.join(ctx, k, find)
	select {
	case <-c.done:
		f.leave(k, c)
		return c.value, c.err
	case <-ctx.Done():
		f.leave(k, c)
		var none V
		return none, context.Cause(ctx)
	}
}

func (f *Flight[V]) join(ctx context.Context, k Key, find func(context.Context) (V, error)) *call[V] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.calls[k]; c != nil {
		c.waiting++
		return c
	}
	if f.calls == nil {
		f.calls = map[Key]*call[V]{}
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // leave calls it
	c := &call[V]{done: make(chan struct{}), waiting: 1, cancel: cancel}
	f.calls[k] = c
	go func() {
		defer close(c.done)
		defer func() {
			if p := recover(); p != nil {
				c.err = fmt.Errorf("panic: %v", p)
			}
		}()
		c.value, c.err = find(own)
	}()
	return c
}

// leave forgets the call once it is done, or once nobody waits for it.
func (f *Flight[V]) leave(k Key, c *call[V]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.waiting--
	select {
	case <-c.done:
	default:
		if c.waiting > 0 {
			return
		}
	}
	c.cancel()
	if f.calls[k] == c {
		delete(f.calls, k)
	}
}
