package oauth2

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"egk8s.dev/egk8s/gateway/consumer"
	"egk8s.dev/egk8s/gateway/message"
)

const (
	// visitorLife is how long a session without a user lives, and userLife one with a user.
	visitorLife = time.Hour
	userLife    = 24 * time.Hour
	// maxCookie is what browsers keep of one cookie.
	maxCookie = 4096
	// maxPending is how many consents a session can have open at the same time.
	maxPending = 8
)

// session is what the cookie holds.
type session struct {
	ID       string   `json:"i"`
	UserID   string   `json:"u,omitempty"`
	ReturnTo string   `json:"r,omitempty"` // where the user wanted to go before the login
	Pending  []string `json:"p,omitempty"` // marks of the consents that wait for an answer
	Notice   string   `json:"n,omitempty"` // shown once by the login page
	Ends     int64    `json:"e"`           // seconds since 1970
}

// openSessions makes the keys of sessions and consents.
func (s *Server) openSessions(secrets []string) error {
	strong, random := strongSecrets(secrets)
	if random {
		s.warn("session.secret of system.config.yml is not used, since it has less than %d characters: "+
			"logins end with the process and are unknown to other replicas", minSecret)
	}
	var err error
	if s.sessions, err = newSealer(strong, "session"); err != nil {
		return err
	}
	s.transactions, err = newSealer(strong, "transaction")
	return err
}

// newSession returns a session with an id that nobody has seen.
func (s *Server) newSession(life time.Duration) *session {
	return &session{ID: mark(), Ends: s.now().Add(life).Unix()}
}

// mark returns 128 random bits as text.
func mark() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// session returns the session of a request; a new one where there is none that is ours and valid.
func (s *Server) session(x *message.Exchange) (_ *session, isNew bool) {
	for _, line := range x.Request.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if name != s.cookie || len(value) > maxCookie {
				continue
			}
			var have session
			if s.sessions.open(value, s.cookie, &have) && s.now().Unix() < have.Ends {
				return &have, false
			}
		}
	}
	return s.newSession(visitorLife), true
}

// user returns who is logged in, nil when nobody is. EG: a user that is not active any more is nobody.
func (s *Server) user(ctx context.Context, have *session) (*consumer.Consumer, error) {
	if have.UserID == "" {
		return nil, nil
	}
	user, err := s.consumers.Active(ctx, have.UserID)
	if errors.Is(err, consumer.ErrUnauthorized) {
		return nil, nil
	}
	return user, err
}

// errTooLong is a session that no cookie can hold.
var errTooLong = errors.New("the session does not fit into a cookie")

// save sends the session to the client.
func (s *Server) save(x *message.Exchange, have *session) error {
	value, err := s.sessions.seal(have, s.cookie)
	if err != nil {
		return err
	}
	cookie := s.cookie + "=" + value + s.attributes(x)
	if s.settings.SessionLife > 0 && have.UserID != "" {
		cookie += "; Max-Age=" + strconv.FormatInt(have.Ends-s.now().Unix(), 10)
	}
	if len(cookie) > maxCookie {
		return errTooLong
	}
	x.Response.Header.Add("Set-Cookie", cookie)
	return nil
}

// attributes are the same wherever the cookie is sent. A proxy in front that ends TLS says so in a field that a
// client may forge: that makes only its own cookie stricter.
func (s *Server) attributes(x *message.Exchange) string {
	secure := s.settings.SecureCookie || x.Request.TLS != nil ||
		strings.EqualFold(x.Request.Header.Get("X-Forwarded-Proto"), "https")
	if secure {
		return "; Path=/; HttpOnly; SameSite=Lax; Secure"
	}
	return "; Path=/; HttpOnly; SameSite=Lax"
}

// formToken is what a form must bring back with the session's cookie.
func (s *Server) formToken(have *session) string {
	mac := hmac.New(sha256.New, []byte(have.ID)) // the id is known to the server and inside the sealed cookie only
	mac.Write([]byte("login form"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// life is how long a login holds.
func (s *Server) life() time.Duration { return cmp.Or(s.settings.SessionLife, userLife) }

// cookieName returns a name that can stand in a cookie, else "".
func cookieName(name string) string {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return ""
		}
	}
	return name
}
