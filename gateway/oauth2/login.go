package oauth2

import (
	"context"
	"crypto/subtle"
	"errors"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

// What the login page says on top of the form.
const (
	noticeWrong   = "That username and password do not match."
	noticeExpired = "The form was too old. Please try again."
)

// loginForm shows the form.
func (s *Server) loginForm(_ context.Context, x *message.Exchange) error {
	have, isNew := s.session(x)
	notice := have.Notice
	if have.Notice = ""; isNew || notice != "" {
		if err := s.save(x, have); err != nil {
			return err
		}
	}
	return s.page(x, "login", "'self'", map[string]string{"Token": s.formToken(have), "Notice": notice})
}

// login checks the name and password of a basic-auth credential. A login gets a new session, so that a session
// that somebody planted before is worth nothing.
//
// EG: a redirect to the page that was wanted first, or to /; after a failure to /login. There is no form token; here
// a browser must bring it.
func (s *Server) login(ctx context.Context, x *message.Exchange) error {
	if err := x.Request.ParseBody(); err != nil {
		return err
	}
	if isForeign(&x.Request) {
		return forbidden("The form was sent by a page of another site.")
	}
	have, _ := s.session(x)
	token, given := field(x, "csrf_token")
	if (given || isBrowser(&x.Request)) && subtle.ConstantTimeCompare([]byte(token), []byte(s.formToken(have))) != 1 {
		return s.backToLogin(x, have, noticeExpired)
	}
	name, _ := field(x, "username")
	password, _ := field(x, "password")
	if name == "" || password == "" {
		return s.backToLogin(x, have, noticeWrong)
	}
	user, _, err := s.consumers.AuthenticatePassword(ctx, consumer.TypeBasicAuth, name, password)
	if errors.Is(err, consumer.ErrUnauthorized) {
		s.log.DebugContext(ctx, "login refused", "request_id", x.ID(), "reason", err)
		return s.backToLogin(x, have, noticeWrong)
	}
	if err != nil {
		return err
	}
	next := s.newSession(s.life())
	next.UserID = user.ID
	if err := s.save(x, next); err != nil {
		return err
	}
	if have.ReturnTo != "" {
		redirect(x, have.ReturnTo)
		return nil
	}
	redirect(x, "/")
	return nil
}

// backToLogin shows the form again, with a notice.
func (s *Server) backToLogin(x *message.Exchange, have *session, notice string) error {
	have.Notice = notice
	if err := s.save(x, have); err != nil {
		return err
	}
	redirect(x, "/login")
	return nil
}

// toLogin sends a user to the form who comes back afterwards.
func (s *Server) toLogin(x *message.Exchange, have *session, returnTo string) error {
	have.ReturnTo, have.UserID = returnTo, ""
	if err := s.save(x, have); errors.Is(err, errTooLong) {
		return &message.StatusError{Status: 414, Text: "URI Too Long", Err: err}
	} else if err != nil {
		return err
	}
	redirect(x, "/login")
	return nil
}

// logout forgets the session.
func (s *Server) logout(_ context.Context, x *message.Exchange) error {
	x.Response.Header.Add("Set-Cookie", s.cookie+"="+s.attributes(x)+"; Max-Age=0")
	redirect(x, "/")
	return nil
}
