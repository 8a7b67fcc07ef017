package policy

import (
	"net/http"

	"egk8s.dev/egk8s/gateway/cache"
	"egk8s.dev/egk8s/gateway/jwt"
)

// Memory is what policies learned of tokens. It is bounded, knows tokens by keyed hashes only, and is
// shared by all steps: what one learned under its parameters never counts under others.
type Memory struct {
	tokens  *jwt.Cache
	answers *cache.Cache[map[string]any]
	flights cache.Flight[map[string]any]
	client  *http.Client
}

// NewMemory returns a memory that knows nothing.
func NewMemory() *Memory {
	return &Memory{
		tokens: jwt.NewCache(), answers: cache.New[map[string]any](cache.Options{}), client: newIntrospectionClient(),
	}
}

func (e *Environment) memory() *Memory {
	if e.Memory == nil {
		e.Memory = NewMemory()
	}
	return e.Memory
}
