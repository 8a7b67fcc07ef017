package consumer

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// TokenKind tells an access token from a refresh token.
type TokenKind string

// The kinds of tokens.
const (
	AccessToken  TokenKind = "access_token"
	RefreshToken TokenKind = "refresh_token"
)

// tokenPart is the length of the id and of the secret of a token, and of a code: 128 bits in hex.
// EG: a uuid v4 without its dashes.
const tokenPart = 32

// Grant is what a token stands for: who may act, for whom and how far. Two grants that are Equal share
// one token while it is valid.
type Grant struct {
	// ConsumerID is the client: an application, or a user that is its own client.
	ConsumerID string
	// UserID is who authorised the client; empty: the client acts for itself.
	UserID string
	// ByPassword tells that the client showed the user's password instead of sending the user to us.
	ByPassword bool
	// Scopes are sorted, each once; nil: none.
	Scopes []string
	// RedirectURI is where an implicit grant sent the token; else empty.
	RedirectURI string
}

// Equal tells whether two grants are the same.
func (g *Grant) Equal(other *Grant) bool {
	return g.ConsumerID == other.ConsumerID && g.UserID == other.UserID && g.ByPassword == other.ByPassword &&
		g.RedirectURI == other.RedirectURI && slices.Equal(g.Scopes, other.Scopes)
}

// Token is an opaque access or refresh token. One that a store returned must not be changed.
type Token struct {
	Kind  TokenKind
	Grant Grant
	// ID and Secret are 32 hex digits each; whoever shows both has the token.
	ID, Secret           string
	CreatedAt, ExpiresAt time.Time
	// Credential is what requests with the token carry: type oauth2, with the token's scopes.
	Credential Credential
}

// String is the token as clients see it: id|secret.
func (t *Token) String() string { return t.ID + "|" + t.Secret }

// ExpiredAt tells whether the token is no good any more at a time.
func (t *Token) ExpiredAt(now time.Time) bool { return !now.Before(t.ExpiresAt) }

// splitToken cuts a token as a client shows it into id and secret; false: it is none of ours.
func splitToken(text string) (id, secret string, ok bool) {
	if len(text) != 2*tokenPart+1 || text[tokenPart] != '|' {
		return "", "", false
	}
	id, secret = text[:tokenPart], text[tokenPart+1:]
	return id, secret, isHex(id) && isHex(secret)
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// newTokenPart returns 32 random hex digits.
func newTokenPart() string {
	var b [tokenPart / 2]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return hex.EncodeToString(b[:])
}

// SortScopes returns scopes sorted and each once, as grants keep them; nil for none.
func SortScopes(scopes []string) []string {
	out := slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == "" })
	slices.Sort(out)
	if out = slices.Compact(out); len(out) == 0 {
		return nil
	}
	return out
}

// AuthenticateToken finds the client that holds an access token "id|secret".
//
// An unknown, revoked or expired token, a wrong secret, and a client or user that is not active any more give
// an error that matches ErrUnauthorized; any other error means that a store could not answer. Scopes are
// not looked at: see Credential.HasScopes of the token. What is returned is shared: do not change it.
//
// EG: the user of a token that was got by password may be inactive; here no token outlives its user.
func (t *Tokens) AuthenticateToken(ctx context.Context, text string) (*Consumer, *Token, error) {
	token, err := t.find(ctx, AccessToken, text)
	if err != nil {
		return nil, nil, err
	}
	owner, err := t.service.activeConsumer(ctx, token.Grant.ConsumerID)
	if err != nil {
		return nil, nil, err
	}
	if token.Grant.UserID != "" {
		if _, err := t.service.activeConsumer(ctx, token.Grant.UserID); err != nil {
			return nil, nil, err
		}
	}
	return owner, token, nil
}

// find returns a token that is valid now and whose secret was shown.
func (t *Tokens) find(ctx context.Context, kind TokenKind, text string) (*Token, error) {
	id, secret, ok := splitToken(text)
	if !ok {
		return nil, &UnauthorizedError{Reason: "not the form of a token"}
	}
	token, err := present(t.store.Token(ctx, kind, id))
	switch {
	case err != nil:
		return nil, err
	case token == nil:
		return nil, &UnauthorizedError{Reason: "unknown token"}
	case subtle.ConstantTimeCompare([]byte(token.Secret), []byte(secret)) != 1:
		return nil, &UnauthorizedError{Reason: "wrong secret of a token"}
	case token.ExpiredAt(t.now()):
		return nil, &UnauthorizedError{Reason: "token is expired"}
	}
	return token, nil
}

// Revoke ends an access or a refresh token, which is given as "id|secret" or by its id only. The error
// matches ErrNotFound when there is none.
func (t *Tokens) Revoke(ctx context.Context, text string) error {
	id, _, _ := strings.Cut(text, "|")
	for _, kind := range []TokenKind{AccessToken, RefreshToken} {
		token, err := present(t.store.Token(ctx, kind, id))
		if err != nil {
			return err
		}
		if token != nil && !token.ExpiredAt(t.now()) {
			return t.store.DeleteToken(ctx, kind, id)
		}
	}
	return mistake(Missing, "Token not found null") // EG: the text
}
