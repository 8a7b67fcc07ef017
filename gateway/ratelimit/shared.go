package ratelimit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// share of a limit that a process takes at a time.
	share = 20
	// mostOfBlock bounds that share.
	mostOfBlock = 1000
	// unlimited is what is taken at a time where there is no limit.
	unlimited = 100
	// patience is how long a request waits for the source at most.
	patience = 40 * time.Millisecond
	// rest is how long the source is left alone after it failed.
	rest = 250 * time.Millisecond
	// queueLength is how many keys may wait for the source; beyond that a process counts on its own.
	queueLength = 4096
	// batch is how many keys are asked for at once.
	batch = 256
	// answerTime bounds one question to the source.
	answerTime = 500 * time.Millisecond
)

// Ask takes n requests of a key from the source, which opens a window of a length where there is none.
type Ask struct {
	Key    string
	N      int64
	Window time.Duration
}

// Grant is how many requests all processes together took in the key's window, those of the Ask included, and how long
// it lasts.
type Grant struct {
	Total int64
	Left  time.Duration
}

// Source counts for all processes.
type Source interface {
	// Take answers all of asks, in their order, or none.
	Take(ctx context.Context, asks []Ask) ([]Grant, error)
}

// Shared counts requests of all processes together. Run must run for it; until then, and while the source does not
// answer, each process counts on its own.
type Shared struct {
	source Source
	own    *Counters // of exact counting without the source
	seed   maphash.Seed
	now    func() time.Time
	most   int
	shards [shards]leases
	queue  chan question
	until  atomic.Int64 // the source is left alone until then, in nanoseconds

	taken, failures atomic.Uint64
}

// leases are the leased windows of some keys.
type leases struct {
	mu      sync.Mutex
	windows map[string]*lease
	order   ending
	_       [64]byte // the next shard's lock is on another cache line
}

// lease is what this process knows of one key's window.
type lease struct {
	window       // count: the requests of this process
	taken  int64 // of the window for this process
	others int64 // taken by all others
	block  int64 // to be taken next
	asked  bool  // the source is being asked
	answer chan struct{}
}

// question is an Ask with what becomes of its answer.
type question struct {
	ask  Ask
	done func(Grant, error)
}

// NewShared returns counters over a source, which remember at most o.Keys windows each.
func NewShared(source Source, o Options) *Shared {
	own := New(o)
	s := &Shared{source: source, own: own, seed: maphash.MakeSeed(), now: own.now, most: own.most, queue: make(chan question, queueLength)}
	for i := range s.shards {
		s.shards[i].windows = map[string]*lease{}
	}
	return s
}

var errShort = errors.New("the source did not answer all")

// ask queues a question; false: nobody will answer.
func (s *Shared) ask(q question) bool {
	if s.now().UnixNano() < s.until.Load() {
		return false
	}
	select {
	case s.queue <- q:
		return true
	default:
		return false
	}
}

// Run asks the source, many keys at once, until ctx ends.
func (s *Shared) Run(ctx context.Context) {
	for {
		var first question
		select {
		case <-ctx.Done():
			return
		case first = <-s.queue:
		}
		questions := append(make([]question, 0, batch), first)
	more:
		for len(questions) < batch {
			select {
			case q := <-s.queue:
				questions = append(questions, q)
			default:
				break more
			}
		}
		s.put(ctx, questions)
	}
}

func (s *Shared) put(ctx context.Context, questions []question) {
	asks := make([]Ask, len(questions))
	for i, q := range questions {
		asks[i] = q.ask
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	grants, err := s.source.Take(ctx, asks)
	if err != nil || len(grants) != len(asks) {
		s.failures.Add(1)
		s.until.Store(s.now().Add(rest).UnixNano())
		grants = make([]Grant, len(asks))
		err = errors.Join(err, errShort)
	} else {
		s.taken.Add(uint64(len(asks)))
	}
	for i, q := range questions {
		q.done(grants[i], err)
	}
}

// Taken and Failures are how many blocks the source gave, and how often it did not answer.
func (s *Shared) Taken() (blocks, failures uint64) { return s.taken.Load(), s.failures.Load() }

// Exact returns a counter that asks the source for every request; without it the process counts on its own.
func (s *Shared) Exact() *Exact { return &Exact{s} }

// Exact counts every request at the source.
type Exact struct{ shared *Shared }

// Hit counts one request of key, as Counters.Hit.
func (e *Exact) Hit(ctx context.Context, key []byte, length time.Duration) (int64, time.Time, error) {
	type result struct {
		grant Grant
		err   error
	}
	answer := make(chan result, 1)
	own, ends, err := e.shared.own.Hit(ctx, key, length) // so that the limit holds here when the source does not answer
	asked := err == nil && length > 0 && e.shared.ask(question{Ask{name(key), 1, length}, func(g Grant, err error) { answer <- result{g, err} }})
	if asked {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case r := <-answer:
			if r.err == nil {
				return r.grant.Total, e.shared.now().Add(r.grant.Left), nil
			}
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return own, ends, err
}

// name is a key at the source: itself, or its hash when it is long.
func name(key []byte) string {
	if len(key) <= longest {
		return string(key)
	}
	sum := sha256.Sum256(key)
	return "sha256:" + hex.EncodeToString(sum[:])
}
