package oauth2

import (
	"context"
	"errors"
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/jwt"
	"egk8s.dev/egk8s/gateway/message"
)

// forClients lets a handler answer clients only that show who they are, as they do at the token endpoint.
func (s *Server) forClients(answer func(ctx context.Context, x *message.Exchange, client *consumer.Consumer, token string) error) Handler {
	return s.guard(func(ctx context.Context, x *message.Exchange) error {
		if err := x.Request.ParseBody(); err != nil {
			return err
		}
		client, status, err := s.authenticateClient(ctx, x)
		if err != nil {
			return err
		}
		if client == nil {
			refuseClient(x, status)
			return nil
		}
		token, err := required(x, "token")
		if err != nil {
			return err
		}
		return answer(ctx, x, client, token)
	})
}

// revoke is RFC 7009: a client gives a token of its own back. What is no token any more is no mistake.
func (s *Server) revoke(ctx context.Context, x *message.Exchange, client *consumer.Consumer, token string) error {
	if strings.Count(token, ".") == 2 {
		return &tokenError{400, "unsupported_token_type", "A JSON Web Token ends by itself"}
	}
	err := s.tokens.GiveBack(ctx, client.ID, token)
	if errors.Is(err, consumer.ErrUnauthorized) {
		return &tokenError{400, "unauthorized_client", "The token was issued to another client"}
	}
	if err != nil {
		return err
	}
	noStore(x)
	x.Response.Send(200, "application/json", "{}")
	return nil
}

// introspection is the answer of the introspection endpoint (RFC 7662, section 2.2).
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	Issued    int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Audience  any    `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
}

// introspect is RFC 7662: it tells a client, such as a service behind another gateway, what a token stands for. Of a
// token that is not good it tells nothing but that.
func (s *Server) introspect(ctx context.Context, x *message.Exchange, _ *consumer.Consumer, token string) error {
	if s.verifier != nil && strings.Count(token, ".") == 2 {
		return sendJSON(x, 200, s.introspectJWT(ctx, token))
	}
	found, err := s.tokens.Look(ctx, token)
	if errors.Is(err, consumer.ErrUnauthorized) {
		return sendJSON(x, 200, &introspection{})
	}
	if err != nil {
		return err
	}
	answer := &introspection{
		Active: true, Scope: strings.Join(found.Grant.Scopes, " "), ClientID: found.Grant.ConsumerID, Subject: found.Grant.ConsumerID,
		Expires: found.ExpiresAt.Unix(), Issued: found.CreatedAt.Unix(),
	}
	if found.Kind == consumer.AccessToken {
		answer.TokenType = "Bearer"
	}
	if found.Grant.UserID != "" {
		user, err := s.consumers.Active(ctx, found.Grant.UserID)
		if errors.Is(err, consumer.ErrUnauthorized) {
			return sendJSON(x, 200, &introspection{})
		}
		if err != nil {
			return err
		}
		answer.Subject, answer.Username = user.ID, user.Username
	}
	return sendJSON(x, 200, answer)
}

// introspectJWT reads a token that this server signed, whose client may still act.
func (s *Server) introspectJWT(ctx context.Context, text string) *introspection {
	token, err := s.verifier.Verify(text, s.now())
	if err != nil {
		return &introspection{}
	}
	client, _ := token.Claims["consumerId"].(string)
	if _, err := s.consumers.Active(ctx, client); err != nil {
		return &introspection{}
	}
	answer := &introspection{
		Active: true, Scope: strings.Join(token.Scopes, " "), ClientID: client, TokenType: "Bearer", Subject: token.Subject,
		Audience: token.Claims["aud"],
	}
	answer.Issuer, _ = token.Claims["iss"].(string)
	issued, _ := token.Claims["iat"].(float64)
	answer.Issued, answer.Expires = int64(issued), token.Expires.Unix()
	return answer
}

// verifierOf checks the signatures of a signer's key; nil where that is not to be had.
func verifierOf(key []byte, algorithm, issuer string) *jwt.Verifier {
	public, err := jwt.PublicKey(key, algorithm)
	if err != nil {
		return nil
	}
	v, err := jwt.New(jwt.Options{Key: public, Algorithms: []string{algorithm}, Issuer: issuer})
	if err != nil {
		return nil
	}
	return v
}
