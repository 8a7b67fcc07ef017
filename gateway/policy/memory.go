package policy

import (
	"context"
	"net/http"

	"egk8s.dev/egk8s/gateway/cache"
	"egk8s.dev/egk8s/gateway/jwt"
	"egk8s.dev/egk8s/gateway/jwt/jwks"
)

// Memory is what policies learned of tokens. It is bounded, knows tokens by keyed hashes only, and is
// shared by all steps: what one learned under its parameters never counts under others.
type Memory struct {
	tokens  *jwt.Cache
	answers *cache.Cache[map[string]any]
	passes  *cache.Cache[[][]string] // of forward-auth: the fields that the service set
	flights cache.Flight[map[string]any]
	client  *http.Client
	keySets *jwks.Sources
}

// NewMemory returns a memory that knows nothing.
func NewMemory() *Memory {
	return &Memory{
		tokens: jwt.NewCache(), answers: cache.New[map[string]any](cache.Options{}), client: newIntrospectionClient(),
		keySets: jwks.NewSources(), passes: cache.New[[][]string](cache.Options{}),
	}
}

func (e *Environment) memory() *Memory {
	if e.Memory == nil {
		e.Memory = NewMemory()
	}
	return e.Memory
}

// Close ends what runs beside requests.
func (m *Memory) Close() { m.keySets.Close() }

// keySet returns what keeps a key set; it runs once the configuration is committed.
func (e *Environment) keySet(o jwks.Options) *jwks.Source {
	if e.keySets == nil {
		e.keySets = e.memory().keySets.Draft()
	}
	return e.keySets.Source(o)
}

// Commit starts what the policies of the configuration need beside requests, and ends what only others needed.
// It waits a few seconds at most, so that the first requests find it ready; what cannot be reached is no error.
func (e *Environment) Commit(ctx context.Context) {
	if e.keySets == nil {
		e.keySets = e.memory().keySets.Draft()
	}
	e.keySets.Commit(ctx, e.Log)
}
