package memory

import (
	"cmp"
	"container/heap"
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
)

// MaxTokens is how many tokens and codes are kept together. Beyond it those that would expire first go.
const MaxTokens = 200_000

// Tokens is a consumer.TokenStore in the memory of one process: what it holds is lost with the process, and
// no second replica knows it. Look-ups of tokens take no lock. What is expired goes with the next write.
type Tokens struct {
	byID map[consumer.TokenKind]*index[consumer.Token] // never changed after NewTokens

	mu      sync.Mutex        // guards what follows, and all writes
	granted map[string]*entry // tokens by kind and grant
	entries map[entryKey]*entry
	expiry  expiryHeap // of all entries
	max     int
}

// entry is a token or a code.
type entry struct {
	token *consumer.Token
	code  *consumer.Code
	at    int // in the heap
}

// entryKey is the kind of a token, empty for a code, and the id.
type entryKey struct {
	kind consumer.TokenKind
	id   string
}

// NewTokens returns an empty store of at most limit tokens and codes; 0: MaxTokens.
func NewTokens(limit int) *Tokens {
	return &Tokens{
		byID: map[consumer.TokenKind]*index[consumer.Token]{
			consumer.AccessToken: newIndex[consumer.Token](), consumer.RefreshToken: newIndex[consumer.Token](),
		},
		granted: map[string]*entry{}, entries: map[entryKey]*entry{}, max: cmp.Or(limit, MaxTokens),
	}
}

// Token finds a token by its id.
func (s *Tokens) Token(_ context.Context, kind consumer.TokenKind, id string) (*consumer.Token, error) {
	if byID := s.byID[kind]; byID != nil {
		if token := byID.get(id); token != nil {
			return token, nil
		}
	}
	return nil, consumer.ErrNotFound
}

// IssueToken stores fresh, or returns a valid token of the same grant.
func (s *Tokens) IssueToken(_ context.Context, fresh *consumer.Token, now time.Time) (*consumer.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	key := grantKey(fresh)
	if have := s.granted[key]; have != nil {
		return have.token, nil // sweep left no expired one
	}
	e := &entry{token: fresh}
	s.add(e)
	s.granted[key] = e
	s.byID[fresh.Kind].set(fresh.ID, fresh)
	return fresh, nil
}

// DeleteToken removes a token.
func (s *Tokens) DeleteToken(_ context.Context, kind consumer.TokenKind, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[entryKey{kind, id}]
	if e == nil || e.token == nil {
		return consumer.ErrNotFound
	}
	s.remove(e)
	return nil
}

// PutCode stores a code.
func (s *Tokens) PutCode(_ context.Context, code *consumer.Code) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(code.CreatedAt)
	s.add(&entry{code: code})
	return nil
}

// TakeCode removes a good code and returns it.
func (s *Tokens) TakeCode(_ context.Context, id string, now time.Time, good func(*consumer.Code) bool) (*consumer.Code, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	e := s.entries[entryKey{"", id}]
	if e == nil || !good(e.code) {
		return nil, consumer.ErrNotFound
	}
	s.remove(e)
	return e.code, nil
}

// Len returns how many tokens and codes are kept.
func (s *Tokens) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.expiry)
}

// sweep forgets what is expired.
func (s *Tokens) sweep(now time.Time) {
	for len(s.expiry) > 0 && !now.Before(s.expiry[0].expires()) {
		s.remove(s.expiry[0])
	}
}

// add stores an entry; a full store forgets what would expire first.
func (s *Tokens) add(e *entry) {
	for len(s.expiry) >= s.max {
		s.remove(s.expiry[0])
	}
	s.entries[e.key()] = e
	heap.Push(&s.expiry, e)
}

func (s *Tokens) remove(e *entry) {
	heap.Remove(&s.expiry, e.at)
	delete(s.entries, e.key())
	if e.token != nil {
		delete(s.granted, grantKey(e.token))
		s.byID[e.token.Kind].set(e.token.ID, nil)
	}
}

func (e *entry) key() entryKey {
	if e.token != nil {
		return entryKey{e.token.Kind, e.token.ID}
	}
	return entryKey{"", e.code.ID}
}

func (e *entry) expires() time.Time {
	if e.token != nil {
		return e.token.ExpiresAt
	}
	return e.code.ExpiresAt
}

// grantKey is the same for tokens of one kind and equal grants.
func grantKey(t *consumer.Token) string {
	g := &t.Grant
	how := "u"
	if g.ByPassword {
		how = "p"
	}
	var b strings.Builder
	for _, part := range append([]string{string(t.Kind), g.ConsumerID, how, g.UserID, g.RedirectURI}, g.Scopes...) {
		b.WriteString(strconv.Itoa(len(part))) // so that no part can pass for two
		b.WriteByte(':')
		b.WriteString(part)
	}
	return b.String()
}

// expiryHeap has what expires first in front.
type expiryHeap []*entry

// Len is for container/heap.
func (h expiryHeap) Len() int { return len(h) }

// Less is for container/heap.
func (h expiryHeap) Less(i, j int) bool { return h[i].expires().Before(h[j].expires()) }

// Swap is for container/heap.
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push is for container/heap.
func (h *expiryHeap) Push(x any) {
	e, _ := x.(*entry)
	e.at = len(*h)
	*h = append(*h, e)
}

// Pop is for container/heap.
func (h *expiryHeap) Pop() any {
	old := *h
	last := len(old) - 1
	e := old[last]
	old[last] = nil
	*h = old[:last]
	return e
}
