package oauth2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

// redirect answers 302. EG: res.redirect of Express, with its body.
func redirect(x *message.Exchange, to string) {
	h := x.Response.Header
	h.Set("Location", to)
	h.Set("Vary", "Accept")
	h.Set("Cache-Control", "no-store")
	switch x.Request.Accepts("text/plain", "text/html") {
	case "text/html":
		x.Response.SendHTML(302, "<p>Found. Redirecting to "+html.EscapeString(to)+"</p>")
	case "text/plain":
		x.Response.SendText(302, "Found. Redirecting to "+to)
	default:
		x.Response.Header.Set("Content-Length", "0")
		x.Response.WriteHead(302)
	}
}

// forbidden ends the request with a page; the text is for the user.
func forbidden(text string) error { return &pageError{403, text} }

// pageError is a mistake that the user sees, since nobody can be trusted to be told of it.
type pageError struct {
	status int
	text   string
}

func (e *pageError) Error() string { return e.text }

// tokenError is the answer of the token endpoint to a mistake (RFC 6749, section 5.2).
// EG: the statuses of oauth2orize, which are others than the RFC's.
type tokenError struct {
	status      int
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func (e *tokenError) Error() string { return e.Code + ": " + e.Description }

func invalidRequest(format string, args ...any) error {
	return &tokenError{400, "invalid_request", fmt.Sprintf(format, args...)}
}

func invalidGrant(description string) error { return &tokenError{403, "invalid_grant", description} }

// sendJSON answers what must not be cached (RFC 6749, section 5.1).
func sendJSON(x *message.Exchange, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	noStore(x)
	x.Response.Send(status, "application/json", string(body))
	return nil
}

func noStore(x *message.Exchange) {
	x.Response.Header.Set("Cache-Control", "no-store")
	x.Response.Header.Set("Pragma", "no-cache")
}

// guard answers the errors of a handler that are the client's or the user's, and returns any other.
func (s *Server) guard(h Handler) Handler {
	return func(ctx context.Context, x *message.Exchange) error {
		err := h(ctx, x)
		var (
			page  *pageError
			token *tokenError
		)
		switch {
		case errors.As(err, &page):
			return s.problem(x, page.status, page.text)
		case errors.As(err, &token):
			return sendJSON(x, token.status, token)
		case errors.Is(err, consumer.ErrBusy), errors.Is(err, consumer.ErrUnavailable):
			x.Response.Header.Set("Retry-After", "1")
			x.Response.SendText(503, "Service Unavailable")
			return nil
		default:
			return err
		}
	}
}

// field returns a text of the body; false: it is missing, or no text.
func field(x *message.Exchange, name string) (string, bool) {
	body, _ := x.Request.Parsed.(map[string]any)
	value, ok := body[name].(string)
	return value, ok
}
