package consumer

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// Tokens applies the rules of OAuth 2.0 tokens and authorization codes over a store. It is safe for
// concurrent use.
type Tokens struct {
	service *Service
	store   TokenStore
	now     func() time.Time
	life    TokenLife
}

// TokenLife is how long tokens and codes are valid; zero values are Express Gateway's defaults.
type TokenLife struct {
	Access  time.Duration // 0: 12 minutes
	Refresh time.Duration // 0: 12 minutes
	Code    time.Duration // 0: 5 minutes
}

// NewTokens returns the rules of tokens for the consumers of service, with its clock.
func NewTokens(service *Service, store TokenStore, life TokenLife) *Tokens {
	return &Tokens{service: service, store: store, now: service.now, life: TokenLife{
		Access:  cmp.Or(life.Access, 720*time.Second),
		Refresh: cmp.Or(life.Refresh, 720*time.Second),
		Code:    cmp.Or(life.Code, 300*time.Second),
	}}
}

// Life returns how long tokens and codes are valid.
func (t *Tokens) Life() TokenLife { return t.life }

// Now is the clock of the rules.
func (t *Tokens) Now() time.Time { return t.now() }

// Issue returns the token of a kind for a grant: a valid one of the same grant, or else a new one.
func (t *Tokens) Issue(ctx context.Context, kind TokenKind, grant Grant) (*Token, error) {
	if grant.ConsumerID == "" {
		return nil, errors.New("issue token: no client")
	}
	life := t.life.Access
	if kind == RefreshToken {
		life = t.life.Refresh
	}
	grant.Scopes = SortScopes(grant.Scopes)
	now := t.now()
	return t.store.IssueToken(ctx, &Token{
		Kind: kind, Grant: grant, ID: newTokenPart(), Secret: newTokenPart(), CreatedAt: now, ExpiresAt: now.Add(life),
		Credential: Credential{
			Type: TypeOAuth2, ID: grant.ConsumerID, ConsumerID: grant.ConsumerID, IsActive: true, Scopes: grant.Scopes,
		},
	}, now)
}

// Refresh returns what a refresh token "id|secret" of a client stands for. The error matches
// ErrUnauthorized when the token is no good, or somebody else's (RFC 6749, section 6).
//
// EG: neither the secret nor the client is looked at.
func (t *Tokens) Refresh(ctx context.Context, clientID, text string) (Grant, error) {
	token, err := t.find(ctx, RefreshToken, text)
	if err != nil {
		return Grant{}, err
	}
	if token.Grant.ConsumerID != clientID {
		return Grant{}, &UnauthorizedError{Reason: "refresh token of another client"}
	}
	if token.Grant.UserID != "" {
		if _, err := t.service.activeConsumer(ctx, token.Grant.UserID); err != nil {
			return Grant{}, err
		}
	}
	return token.Grant, nil
}

// Active finds a user or application by its id that may act now; else the error matches ErrUnauthorized.
func (s *Service) Active(ctx context.Context, id string) (*Consumer, error) {
	return s.activeConsumer(ctx, id)
}

// AllowsScopes tells whether the oauth2 credential of a client is active and carries every one of scopes.
func (s *Service) AllowsScopes(ctx context.Context, clientID string, scopes []string) (bool, error) {
	if len(scopes) == 0 {
		return true, nil
	}
	cred, err := present(s.store.Credential(ctx, TypeOAuth2, clientID))
	if cred == nil || !cred.IsActive || err != nil {
		return false, err
	}
	return cred.HasScopes(scopes), nil
}
