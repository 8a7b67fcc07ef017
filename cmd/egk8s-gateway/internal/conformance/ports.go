package conformance

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// ports hands out free ports below the range from which the system takes those of outgoing
// connections, each once.
type ports struct {
	mu    sync.Mutex
	taken map[int]bool
}

func (p *ports) free(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken == nil {
		p.taken = map[int]bool{}
	}
	var config net.ListenConfig
	for ctx.Err() == nil {
		port := 15000 + rand.IntN(17000) //nolint:gosec // no secret
		if p.taken[port] {
			continue
		}
		l, err := config.Listen(ctx, "tcp", ":"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		p.taken[port] = true
		return strconv.Itoa(port), l.Close()
	}
	return "", ctx.Err()
}
