package oauth2

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

// exchanger answers one grant type for a client that is authenticated.
type exchanger func(ctx context.Context, x *message.Exchange, client *consumer.Consumer) (*tokenAnswer, error)

// tokenAnswer is the answer of the token endpoint (RFC 6749, section 5.1).
type tokenAnswer struct {
	AccessToken  string  `json:"access_token"`
	RefreshToken string  `json:"refresh_token,omitempty"`
	ExpiresIn    float64 `json:"expires_in,omitempty"` // seconds
	TokenType    string  `json:"token_type"`
}

// token is the token endpoint (RFC 6749, section 3.2).
func (s *Server) token(ctx context.Context, x *message.Exchange) error {
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
	kind, ok := field(x, "grant_type")
	if !ok {
		kind = "undefined"
	}
	exchange := s.grants[kind]
	if exchange == nil {
		return &tokenError{501, "unsupported_grant_type", "Unsupported grant type: " + kind}
	}
	answer, err := exchange(ctx, x, client)
	if err != nil {
		return err
	}
	answer.TokenType = "Bearer"
	return sendJSON(x, 200, answer)
}

// refuseClient answers who is no client.
func refuseClient(x *message.Exchange, status int) {
	noStore(x)
	if status == 400 {
		x.Response.SendText(400, "Bad Request")
		return
	}
	x.Response.Header.Set("WWW-Authenticate", `Basic realm="Users"`)
	x.Response.SendText(401, "Unauthorized")
}

// authenticateClient finds the client by its Basic header, else by client_id and client_secret of the body. It
// must have the scopes that it asks for. Without a client the status is 401, or 400 for a header that is none.
// EG: the credential in the URL's query is not looked at.
func (s *Server) authenticateClient(ctx context.Context, x *message.Exchange) (*consumer.Consumer, int, error) {
	scopes, err := scopesOf(x)
	if err != nil {
		return nil, 0, err
	}
	// EG: those of the URL in place of the body's, which the token has: there a client gets any scope by asking for
	// one that it may have in the URL.
	for _, scope := range x.Request.Query()["scope"] {
		scopes = append(scopes, consumer.SortScopes(strings.Split(scope, " "))...)
	}
	id, secret, status := basic(x.Request.Header.Get("Authorization"))
	client, err := s.checkClient(ctx, id, secret, scopes)
	if client != nil || err != nil {
		return client, 0, err
	}
	id, _ = field(x, "client_id")
	secret, _ = field(x, "client_secret")
	client, err = s.checkClient(ctx, id, secret, scopes)
	return client, status, err
}

// checkClient is nil without an error when the client may not have what it asks for.
func (s *Server) checkClient(ctx context.Context, id, secret string, scopes []string) (*consumer.Consumer, error) {
	if id == "" || secret == "" {
		return nil, nil
	}
	client, credential, err := s.consumers.AuthenticatePassword(ctx, consumer.TypeOAuth2, id, secret)
	switch {
	case errors.Is(err, consumer.ErrUnauthorized):
		s.log.DebugContext(ctx, "client refused", "reason", err)
		return nil, nil
	case err != nil:
		return nil, err
	case !credential.HasScopes(scopes):
		s.log.DebugContext(ctx, "client refused", "reason", "it lacks a scope that it asks for")
		return nil, nil
	}
	return client, nil
}

// basic reads a header Authorization. EG: passport-http; a password may hold colons here.
func basic(header string) (id, secret string, status int) {
	if header == "" {
		return "", "", 401
	}
	scheme, rest, ok := strings.Cut(header, " ")
	if !ok {
		return "", "", 400
	}
	if !strings.EqualFold(scheme, "basic") {
		return "", "", 401
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	if err != nil {
		return "", "", 400
	}
	id, secret, ok = strings.Cut(string(plain), ":")
	if !ok {
		return "", "", 400
	}
	return id, secret, 401
}

// scopesOf reads the scopes that the body asks for.
func scopesOf(x *message.Exchange) ([]string, error) {
	scope, err := optional(x, "scope")
	return consumer.SortScopes(strings.Split(scope, " ")), err
}

// required returns a parameter of the body that must be there.
func required(x *message.Exchange, name string) (string, error) {
	value, err := optional(x, name)
	if err == nil && value == "" {
		return "", invalidRequest("Missing required parameter: %s", name)
	}
	return value, err
}

// optional returns a parameter of the body; one that is sent twice is refused (RFC 6749, section 3.2).
func optional(x *message.Exchange, name string) (string, error) {
	body, _ := x.Request.Parsed.(map[string]any)
	value, ok := body[name].(string)
	if !ok && body[name] != nil {
		return "", invalidRequest("Invalid parameter: %s must be a string", name)
	}
	return value, nil
}

// accessToken makes the access token of a grant.
func (s *Server) accessToken(ctx context.Context, grant consumer.Grant) (string, error) {
	t := s.settings.JWT
	if t == nil {
		token, err := s.tokens.Issue(ctx, consumer.AccessToken, grant)
		if err != nil {
			return "", err
		}
		return token.String(), nil
	}
	if s.signer == nil {
		return "", &tokenError{500, "server_error", s.broken}
	}
	now := s.now()
	claims := map[string]any{
		"consumerId": grant.ConsumerID, "iss": t.Issuer, "sub": t.Subject, "aud": t.Audience,
		"iat": now.Unix(), "exp": now.Unix() + int64(math.Ceil(s.tokens.Life().Access.Seconds())),
	}
	if len(t.Audience) == 1 {
		claims["aud"] = t.Audience[0]
	}
	if grant.Scopes != nil {
		claims["scopes"] = grant.Scopes
	}
	text, err := s.signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("make access token: %w", err)
	}
	return text, nil
}

// expiresIn is what clients are told. EG: always the whole life, also of a token that was there before.
func (s *Server) expiresIn() float64 { return s.tokens.Life().Access.Seconds() }

// answer makes the tokens of a grant, a refresh token among them.
func (s *Server) answer(ctx context.Context, grant consumer.Grant) (*tokenAnswer, error) {
	access, err := s.accessToken(ctx, grant)
	if err != nil {
		return nil, err
	}
	refresh, err := s.tokens.Issue(ctx, consumer.RefreshToken, grant)
	if err != nil {
		return nil, err
	}
	return &tokenAnswer{AccessToken: access, RefreshToken: refresh.String(), ExpiresIn: s.expiresIn()}, nil
}

// alone is the answer without a refresh token. EG: a JWT comes without expires_in then.
func (s *Server) alone(ctx context.Context, grant consumer.Grant) (*tokenAnswer, error) {
	access, err := s.accessToken(ctx, grant)
	if err != nil {
		return nil, err
	}
	answer := &tokenAnswer{AccessToken: access}
	if s.settings.JWT == nil {
		answer.ExpiresIn = s.expiresIn()
	}
	return answer, nil
}
