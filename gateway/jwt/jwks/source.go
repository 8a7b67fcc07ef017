// Package jwks keeps the key sets of identity providers (RFC 7517), fetched beside requests and never by one.
package jwks

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/jwt"
)

const (
	// fetchTimeout is how long one document may take.
	fetchTimeout = 10 * time.Second
	// askPause is how often at most a token with an unknown key makes the set be fetched.
	askPause = 10 * time.Second
	// askWait is how long such a token waits for the newer set.
	askWait = time.Second
	// firstRetry and lastRetry are the pauses after a first and after many failures.
	firstRetry, lastRetry = time.Second, time.Minute
)

// Options say where a set comes from. Equal ones share a source.
type Options struct {
	// URI is the set's; empty: the provider tells it.
	URI string
	// Provider is the URL of an OpenID provider, and Issuer what its discovery document must say it is.
	Provider, Issuer string
	// Refresh is how old a set gets.
	Refresh time.Duration
}

// Source keeps one set up to date while it runs. It is safe for concurrent use.
type Source struct {
	Options
	client *http.Client
	log    *slog.Logger
	set    atomic.Pointer[jwt.Set]
	asked  chan struct{}
	cancel context.CancelFunc // nil: it does not run; guarded by Sources.mu

	mu     sync.Mutex    // guards what follows
	round  chan struct{} // closed at the end of the fetch that runs, or else of the next one
	last   time.Time     // when a token last made the set be fetched
	inWork bool
}

func newSource(o Options, client *http.Client) *Source {
	return &Source{Options: o, client: client, log: slog.New(slog.DiscardHandler), asked: make(chan struct{}, 1), round: make(chan struct{})}
}

// Set returns the newest set that was good; nil: there was none yet. What fails later takes nothing away.
func (s *Source) Set() *jwt.Set { return s.set.Load() }

// Newer returns a newer set than one that lacks the key of a token. For that the set is fetched, every ten
// seconds at most, and the caller waits for at most a second; else it gets what is there.
func (s *Source) Newer(ctx context.Context, than *jwt.Set) *jwt.Set {
	if now := s.Set(); now != than {
		return now
	}
	round := s.ask(time.Now())
	if round == nil {
		return s.Set() // it may have come meanwhile
	}
	timer := time.NewTimer(askWait)
	defer timer.Stop()
	select {
	case <-round:
	case <-timer.C:
	case <-ctx.Done():
	}
	return s.Set()
}

// ask makes the set be fetched and returns what is closed when that is done; nil: it is too soon.
func (s *Source) ask(now time.Time) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inWork {
		return s.round
	}
	if !s.last.IsZero() && now.Sub(s.last) < askPause {
		return nil
	}
	s.last, s.inWork = now, true // until the round has ended: who asks from now on waits for it
	select {
	case s.asked <- struct{}{}:
	default: // it is asked already
	}
	return s.round
}

// first waits until the set was fetched once, for good or ill.
func (s *Source) first(ctx context.Context) {
	s.mu.Lock()
	round := s.round
	s.mu.Unlock()
	if s.Set() != nil {
		return
	}
	select {
	case <-round:
	case <-ctx.Done():
	}
}

// run fetches the set until ctx ends.
func (s *Source) run(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		s.begin()
		err := s.update(ctx)
		s.end()
		pause := s.Refresh
		if err == nil {
			failures = 0
		} else if ctx.Err() == nil {
			pause = min(pause, lastRetry, firstRetry<<min(failures, 10))
			failures++
			s.log.WarnContext(ctx, "fetch key set", "uri", s.name(), "error", err, "has_keys", s.Set() != nil, "again_in", pause.String())
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-s.asked:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (s *Source) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inWork = true
	select {
	case <-s.asked: // this fetch is the answer
	default:
	}
}

func (s *Source) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inWork = false
	close(s.round)
	s.round = make(chan struct{})
}

func (s *Source) name() string {
	if s.URI != "" {
		return s.URI
	}
	return s.Provider
}
