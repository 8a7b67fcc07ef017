package consumer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"time"
)

// Code is an authorization code: what a user allowed a client, until the client fetches its token.
type Code struct {
	ID          string // 32 hex digits
	ConsumerID  string // the client
	UserID      string // who allowed it
	RedirectURI string
	Scopes      []string
	// Challenge is the PKCE code challenge of method S256 (RFC 7636); empty: the client sent none.
	Challenge            string
	CreatedAt, ExpiresAt time.Time
}

// CodeProof is what a client shows with a code.
type CodeProof struct {
	ConsumerID, RedirectURI string
	// Verifier is the PKCE code verifier; empty: none.
	Verifier string
}

// IssueCode stores a new code for what want says, and returns it.
func (t *Tokens) IssueCode(ctx context.Context, want Code) (*Code, error) {
	if want.ConsumerID == "" || want.UserID == "" {
		return nil, errors.New("issue code: no client or no user")
	}
	want.ID, want.CreatedAt, want.Scopes = newTokenPart(), t.now(), SortScopes(want.Scopes)
	want.ExpiresAt = want.CreatedAt.Add(t.life.Code)
	if err := t.store.PutCode(ctx, &want); err != nil {
		return nil, err
	}
	return &want, nil
}

// RedeemCode gives a code back once, to the client that it was made for, with the same redirect URI and the
// right verifier. Else the error matches ErrUnauthorized.
//
// EG: a wrong redirect URI or client leaves the code as it is.
func (t *Tokens) RedeemCode(ctx context.Context, id string, proof CodeProof) (*Code, error) {
	if len(id) != tokenPart || !isHex(id) {
		return nil, &UnauthorizedError{Reason: "not the form of a code"}
	}
	code, err := present(t.store.TakeCode(ctx, id, t.now(), proof.proves))
	if err != nil {
		return nil, err
	}
	if code == nil {
		return nil, &UnauthorizedError{Reason: "unknown, used or expired code, or one of another client, redirect URI or verifier"}
	}
	if _, err := t.service.activeConsumer(ctx, code.UserID); err != nil {
		return nil, err
	}
	return code, nil
}

// proves tells whether a client may have a code. A verifier without a challenge is refused: somebody took the
// challenge out of the authorization request (RFC 9700, section 2.1.1).
func (p CodeProof) proves(c *Code) bool {
	if p.ConsumerID != c.ConsumerID || p.RedirectURI != c.RedirectURI || (p.Verifier == "") != (c.Challenge == "") {
		return false
	}
	return c.Challenge == "" || subtle.ConstantTimeCompare([]byte(challengeOf(p.Verifier)), []byte(c.Challenge)) == 1
}

// challengeOf is the code challenge of a verifier by method S256 (RFC 7636, section 4.2).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
