package oauth2

import (
	"context"
	"errors"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

// clientCredentials is RFC 6749, section 4.4.
func (s *Server) clientCredentials(ctx context.Context, x *message.Exchange, client *consumer.Consumer) (*tokenAnswer, error) {
	scopes, err := scopesOf(x)
	if err != nil {
		return nil, err
	}
	return s.alone(ctx, consumer.Grant{ConsumerID: client.ID, Scopes: scopes})
}

// password is RFC 6749, section 4.3: name and password of a basic-auth credential.
func (s *Server) password(ctx context.Context, x *message.Exchange, client *consumer.Consumer) (*tokenAnswer, error) {
	name, err := required(x, "username")
	if err != nil {
		return nil, err
	}
	password, err := required(x, "password")
	if err != nil {
		return nil, err
	}
	scopes, err := scopesOf(x)
	if err != nil {
		return nil, err
	}
	user, _, err := s.consumers.AuthenticatePassword(ctx, consumer.TypeBasicAuth, name, password)
	if err != nil {
		return nil, refusedGrant(err, "Invalid resource owner credentials")
	}
	return s.answer(ctx, consumer.Grant{ConsumerID: client.ID, UserID: user.ID, ByPassword: true, Scopes: scopes})
}

// authorizationCode is RFC 6749, section 4.1.3, and RFC 7636, section 4.5.
func (s *Server) authorizationCode(ctx context.Context, x *message.Exchange, client *consumer.Consumer) (*tokenAnswer, error) {
	id, err := required(x, "code")
	if err != nil {
		return nil, err
	}
	uri, err := optional(x, "redirect_uri")
	if err != nil {
		return nil, err
	}
	verifier, err := optional(x, "code_verifier")
	if err != nil {
		return nil, err
	}
	code, err := s.tokens.RedeemCode(ctx, id, consumer.CodeProof{ConsumerID: client.ID, RedirectURI: uri, Verifier: verifier})
	if err != nil {
		return nil, refusedGrant(err, "Invalid authorization code")
	}
	return s.answer(ctx, consumer.Grant{ConsumerID: client.ID, UserID: code.UserID, Scopes: code.Scopes})
}

// refreshToken is RFC 6749, section 6. EG: the refresh token stays good and does not come back, and scope is not
// looked at. Here the client must still have the scopes of the token.
func (s *Server) refreshToken(ctx context.Context, x *message.Exchange, client *consumer.Consumer) (*tokenAnswer, error) {
	text, err := required(x, "refresh_token")
	if err != nil {
		return nil, err
	}
	grant, err := s.tokens.Refresh(ctx, client.ID, text)
	if err != nil {
		return nil, refusedGrant(err, "Invalid refresh token")
	}
	allowed, err := s.consumers.AllowsScopes(ctx, client.ID, grant.Scopes)
	if err != nil {
		return nil, err
	}
	if !allowed { // they were taken from the client since
		return nil, invalidGrant("Invalid refresh token")
	}
	return s.alone(ctx, grant)
}

// refusedGrant tells a grant that is no good from a store that cannot answer.
func refusedGrant(err error, description string) error {
	if errors.Is(err, consumer.ErrUnauthorized) {
		return invalidGrant(description)
	}
	return err
}
