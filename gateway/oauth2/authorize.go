package oauth2

import (
	"context"
	"errors"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

// transaction is an authorization request that waits for the user's answer. The form of the consent page holds it,
// sealed for the one session.
type transaction struct {
	Mark        string   `json:"m"` // which the session has, too, until the answer
	ClientID    string   `json:"c"`
	Type        string   `json:"t"` // code or token
	RedirectURI string   `json:"r"`
	State       string   `json:"s,omitempty"`
	Scopes      []string `json:"p,omitempty"`
	Challenge   string   `json:"h,omitempty"` // of PKCE
}

// authorize asks the user whether the client may act (RFC 6749, section 4.1.1 and 4.2.1).
//
// EG: without a login a redirect to /login, whatever the parameters are; an unknown client, one that lacks a scope
// and a redirect URI that is not the registered one, letter by letter, are 403 and never a redirect.
func (s *Server) authorize(ctx context.Context, x *message.Exchange) error {
	have, _ := s.session(x)
	user, err := s.user(ctx, have)
	if err != nil {
		return err
	}
	if user == nil {
		return s.toLogin(x, have, x.Request.OriginalURL)
	}
	txn, err := readTransaction(x.Request.Query())
	if err != nil {
		return err
	}
	client, err := s.client(ctx, txn)
	if err != nil {
		return err
	}
	if err := s.challenge(x, txn); err != nil || x.Response.Started() {
		return err
	}
	txn.Mark = mark()
	have.Pending = append(have.Pending, txn.Mark)
	have.Pending = have.Pending[max(0, len(have.Pending)-maxPending):]
	if err := s.save(x, have); err != nil {
		return err
	}
	id, err := s.transactions.seal(txn, have.ID)
	if err != nil {
		return err
	}
	x.Response.Header.Set("Transaction_id", id)
	return s.page(x, "consent", formTargets(txn.RedirectURI), map[string]any{
		"Transaction": id, "User": greeting(user), "Client": client.DisplayName(), "Scopes": txn.Scopes, "Target": hostOf(txn.RedirectURI),
	})
}

// greeting is how the page calls the user.
func greeting(user *consumer.Consumer) string {
	if name, _ := user.Properties["firstname"].(string); name != "" {
		return name
	}
	return user.DisplayName()
}

// readTransaction reads the parameters of the request. EG: the texts and statuses of oauth2orize.
func readTransaction(q message.Query) (*transaction, error) {
	values := map[string]string{}
	for _, name := range []string{"response_type", "client_id", "redirect_uri", "scope", "state"} {
		if len(q[name]) > 1 { // RFC 6749, section 3.1
			return nil, &pageError{400, "Invalid parameter: " + name + " must be a string"}
		}
		values[name], _ = q.Get(name)
	}
	switch kind := values["response_type"]; {
	case kind == "":
		return nil, &pageError{400, "Missing required parameter: response_type"}
	case kind != "code" && kind != "token":
		return nil, &pageError{501, "Unsupported response type: " + kind}
	case values["client_id"] == "":
		return nil, &pageError{400, "Missing required parameter: client_id"}
	}
	return &transaction{
		ClientID: values["client_id"], Type: values["response_type"], RedirectURI: values["redirect_uri"],
		State: values["state"], Scopes: consumer.SortScopes(strings.Split(values["scope"], " ")),
	}, nil
}

// client finds the client and holds the request to what is known of it.
func (s *Server) client(ctx context.Context, txn *transaction) (*consumer.Consumer, error) {
	client, err := s.consumers.Active(ctx, txn.ClientID)
	if errors.Is(err, consumer.ErrUnauthorized) {
		return nil, forbidden("Unauthorized client")
	}
	if err != nil {
		return nil, err
	}
	registered, _ := client.Properties["redirectUri"].(string)
	allowed, err := s.consumers.AllowsScopes(ctx, client.ID, txn.Scopes)
	switch {
	case err != nil:
		return nil, err
	case !allowed || registered == "" || registered != txn.RedirectURI || !redirectable(registered):
		return nil, forbidden("Unauthorized client")
	}
	return client, nil
}

// challenge reads the code challenge. Only S256 is taken: "plain" protects against nobody who sees the request. A
// mistake goes to the client, as RFC 7636, section 4.4.1, wants.
func (s *Server) challenge(x *message.Exchange, txn *transaction) error {
	q := x.Request.Query()
	challenge, has := q.Get("code_challenge")
	method, _ := q.Get("code_challenge_method")
	if !has && method == "" || txn.Type != "code" {
		return nil
	}
	if method != "S256" || len(challenge) != 43 || len(q["code_challenge"]) > 1 {
		s.answerClient(x, txn, []param{
			{"error", "invalid_request"}, {"error_description", "code_challenge must be one of method S256"},
		})
		return nil
	}
	txn.Challenge = challenge
	return nil
}

// decide takes the user's answer. A transaction is good once, and only in the session that it was made for, so that
// no page of somebody else can answer for the user.
//
// EG: whatever the field cancel holds denies.
func (s *Server) decide(ctx context.Context, x *message.Exchange) error {
	if err := x.Request.ParseBody(); err != nil {
		return err
	}
	if isForeign(&x.Request) {
		return forbidden("The form was sent by a page of another site.")
	}
	have, _ := s.session(x)
	user, err := s.user(ctx, have)
	if err != nil {
		return err
	}
	if user == nil {
		return s.toLogin(x, have, "")
	}
	txn, err := s.pending(x, have)
	if err != nil {
		return err
	}
	if _, err := s.client(ctx, txn); err != nil { // it may have changed meanwhile
		return err
	}
	have.Pending = slices.DeleteFunc(have.Pending, func(m string) bool { return m == txn.Mark })
	if err := s.save(x, have); err != nil {
		return err
	}
	if cancel, _ := field(x, "cancel"); cancel != "" {
		s.answerClient(x, txn, []param{{"error", "access_denied"}})
		return nil
	}
	return s.allow(ctx, x, txn, user)
}

// pending opens the transaction that the form brought.
func (s *Server) pending(x *message.Exchange, have *session) (*transaction, error) {
	if len(have.Pending) == 0 {
		return nil, forbidden("Unable to load OAuth 2.0 transactions from session")
	}
	id, _ := field(x, "transaction_id")
	if id == "" {
		return nil, &pageError{400, "Missing required parameter: transaction_id"}
	}
	var txn transaction
	if !s.transactions.open(id, have.ID, &txn) || !slices.Contains(have.Pending, txn.Mark) {
		return nil, forbidden("Unable to load OAuth 2.0 transaction")
	}
	return &txn, nil
}

// allow gives the client its code or token.
func (s *Server) allow(ctx context.Context, x *message.Exchange, txn *transaction, user *consumer.Consumer) error {
	if txn.Type == "code" {
		code, err := s.tokens.IssueCode(ctx, consumer.Code{
			ConsumerID: txn.ClientID, UserID: user.ID, RedirectURI: txn.RedirectURI, Scopes: txn.Scopes, Challenge: txn.Challenge,
		})
		if err != nil {
			return err
		}
		s.answerClient(x, txn, []param{{"code", code.ID}})
		return nil
	}
	token, err := s.accessToken(ctx, consumer.Grant{
		ConsumerID: txn.ClientID, UserID: user.ID, RedirectURI: txn.RedirectURI, Scopes: txn.Scopes,
	})
	if mistake, ok := errors.AsType[*tokenError](err); ok { // RFC 6749, section 4.2.2.1
		s.answerClient(x, txn, []param{{"error", mistake.Code}, {"error_description", mistake.Description}})
		return nil
	}
	if err != nil {
		return err
	}
	s.answerClient(x, txn, []param{{"access_token", token}, {"token_type", "Bearer"}})
	return nil
}
