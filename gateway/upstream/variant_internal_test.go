package upstream

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"egk8s.dev/egk8s/gateway/upstream/dns"
)

// nameCache answers as CoreDNS does with "ttl 5" and "cache 5": what it found for a variant is repeated for five
// seconds, with what is left of its time to live. The truth is a number that only grows.
type nameCache struct {
	truth  int
	stored map[int]cached
}

type cached struct {
	truth int
	at    time.Time
}

func (c *nameCache) ask(variant int) (int, time.Duration) {
	const ttl = 5 * time.Second
	e, ok := c.stored[variant]
	if !ok || time.Since(e.at) >= ttl {
		e = cached{c.truth, time.Now()}
		c.stored[variant] = e
	}
	return e.truth, ttl - time.Since(e.at).Truncate(time.Second)
}

// TestChangesAreSeenThroughACache holds that a change is seen within five seconds though the name server keeps its
// answers for as long, and that an older answer never undoes a newer one, with other gateways asking too.
func TestChangesAreSeenThroughACache(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			others := r.IntN(2) == 1
			c := &nameCache{stored: map[int]cached{}}
			s := watchState{known: "backend.shop.svc.cluster.local", variants: r.Perm(dns.Variants)}
			seen, changed := 0, time.Now()
			next := changed
			for range 2000 {
				time.Sleep(50 * time.Millisecond)
				if r.IntN(200) == 0 && seen == c.truth {
					c.truth++
					changed = time.Now()
				}
				if others && r.IntN(40) == 0 {
					c.ask(r.IntN(dns.Variants))
				}
				if time.Now().Before(next) {
					continue
				}
				next = time.Now().Add(serviceInterval + time.Duration(r.Int64N(int64(serviceInterval/10))))
				answer, ttl := c.ask(s.variant())
				behind := seen != c.truth
				if s.newer(ttl) {
					if answer < seen {
						t.Fatalf("seed %d: an old answer was believed", seed)
					}
					seen = answer
				}
				if late := time.Since(changed); !others && behind && late > 5*time.Second {
					t.Fatalf("seed %d: a change is seen after %v", seed, late)
				}
			}
		})
	}
}

func TestOneVariantWhereItIsNoService(t *testing.T) {
	t.Parallel()
	s := watchState{known: "api.example.com", variants: []int{3, 2, 1, 0}}
	for range 8 {
		if v := s.variant(); v != 0 {
			t.Errorf("variant %d for a name that is not of the cluster", v)
		}
	}
}
