package redis_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/store/redis"
	"egk8s.dev/egk8s/gateway/store/redis/redistest"
	"egk8s.dev/egk8s/gateway/store/storetest"
)

const cipherKey = "sensitiveKey"

// open returns a store that is followed and whose subscription stands.
func open(t *testing.T, server *redistest.Server, namespace string) *redis.Store {
	t.Helper()
	store, err := redis.Open(redis.Options{
		Addresses: []string{server.Socket}, Namespace: namespace, CipherKey: cipherKey, Records: 4096,
		LookupTimeout: 10 * time.Second, // a busy machine is no test of it
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() { _ = store.Watch(ctx) })
	t.Cleanup(func() {
		cancel()
		watch.Wait()
		_ = store.Close()
	})
	eventually(t, "the subscription", func() bool { return store.Problem() == "" })
	return store
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still waiting for %s", what)
		}
	}
}

// spaces gives each store a namespace of its own.
func spaces() func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprintf("T%d", n.Add(1)) }
}

func TestContract(t *testing.T) {
	t.Parallel()
	server, next := redistest.Start(t), spaces()
	filled := func(t *testing.T) consumer.Store {
		t.Helper()
		store := open(t, server, next())
		if err := storetest.Fill(t.Context(), store, storetest.Fixture()); err != nil {
			t.Fatal(err)
		}
		return store
	}
	storetest.Write(t, filled)
}

// TestTokenContract counts allocations, and so runs alone.
func TestTokenContract(t *testing.T) {
	server, next := redistest.Start(t), spaces()
	storetest.Tokens(t, func(t *testing.T) consumer.TokenStore {
		t.Helper()
		return open(t, server, next()).Tokens()
	})
}

// TestReadContract counts allocations, and so runs alone.
func TestReadContract(t *testing.T) {
	server := redistest.Start(t)
	storetest.Read(t, func(t *testing.T) consumer.Store {
		t.Helper()
		store := open(t, server, "EG*[?") // a namespace is no pattern
		if err := storetest.Fill(t.Context(), store, storetest.Fixture()); err != nil {
			t.Fatal(err)
		}
		return store
	})
}
