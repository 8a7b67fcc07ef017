package consumer

import (
	"context"
	"time"
)

// TokenStore keeps tokens and codes until they expire; what is expired may be forgotten at any time, and
// is kept out of every answer but that of Token.
type TokenStore interface {
	// Token finds a token by its id, an expired one perhaps too. It is the hot path: a local look-up,
	// no network, no lock, no allocation. An unknown id gives ErrNotFound.
	Token(ctx context.Context, kind TokenKind, id string) (*Token, error)
	// IssueToken stores fresh and returns it, unless a token of its kind and an equal grant is there
	// that is valid at now: then it returns that one. The choice and the write are one step.
	IssueToken(ctx context.Context, fresh *Token, now time.Time) (*Token, error)
	// DeleteToken removes a token; ErrNotFound when there is none.
	DeleteToken(ctx context.Context, kind TokenKind, id string) error
	// PutCode stores an authorization code.
	PutCode(ctx context.Context, code *Code) error
	// TakeCode removes a code and returns it when it is valid at now and good says so; of callers at the
	// same time at most one gets it. Else the code stays, and the answer is ErrNotFound.
	TakeCode(ctx context.Context, id string, now time.Time, good func(*Code) bool) (*Code, error)
}
