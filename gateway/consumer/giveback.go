package consumer

import (
	"context"
	"errors"
)

// Look returns what an access or refresh token "id|secret" stands for, while it is valid and its client may act. Errors
// are as AuthenticateToken's. What is returned is shared: do not change it.
func (t *Tokens) Look(ctx context.Context, text string) (*Token, error) {
	token, err := t.findAny(ctx, text)
	if err != nil {
		return nil, err
	}
	if _, err := t.service.activeConsumer(ctx, token.Grant.ConsumerID); err != nil {
		return nil, err
	}
	return token, nil
}

func (t *Tokens) findAny(ctx context.Context, text string) (*Token, error) {
	token, err := t.find(ctx, AccessToken, text)
	if errors.Is(err, ErrUnauthorized) {
		return t.find(ctx, RefreshToken, text)
	}
	return token, err
}

// GiveBack ends a token for the client that it was issued to (RFC 7009). With a refresh token goes the access token of its
// grant. What is no valid token is no error; a token of another client matches ErrUnauthorized.
func (t *Tokens) GiveBack(ctx context.Context, clientID, text string) error {
	token, err := t.findAny(ctx, text)
	if errors.Is(err, ErrUnauthorized) {
		return nil
	}
	if err != nil {
		return err
	}
	if token.Grant.ConsumerID != clientID {
		return &UnauthorizedError{Reason: "token of another client"}
	}
	grant := token.Grant
	if err := t.remove(ctx, token); err != nil || token.Kind == AccessToken {
		return err
	}
	access, err := t.Issue(ctx, AccessToken, grant) // the one that is there, or one that goes with it
	if err != nil {
		return err
	}
	return t.remove(ctx, access)
}

// remove takes a token that somebody else may have removed.
func (t *Tokens) remove(ctx context.Context, token *Token) error {
	err := t.store.DeleteToken(ctx, token.Kind, token.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
