package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"egk8s.dev/egk8s/gateway/diag"
)

// TokenTypeJWT is the tokenType of access tokens that are JSON Web Tokens.
const TokenTypeJWT = "jwt"

// OAuth2 is what system.config.yml says of tokens and sessions, with Express Gateway's defaults filled in.
type OAuth2 struct {
	// AccessLife, RefreshLife and CodeLife are timeToExpiry of accessTokens, refreshTokens and authorizationCodes.
	AccessLife, RefreshLife, CodeLife time.Duration
	// JWT is how access tokens are signed; nil: they are opaque.
	JWT *JWTTokens
	// SessionSecrets seal sessions: the first one new ones, all of them open.
	SessionSecrets []string
	// SessionCookie is the name of the cookie; empty: none given.
	SessionCookie string
	// SessionLife is the age at which a session ends; 0: none given.
	SessionLife time.Duration
	// SecureCookie keeps the cookie off plain HTTP even where the gateway itself speaks it.
	SecureCookie bool
}

// JWTTokens are the settings of accessTokens with tokenType jwt.
type JWTTokens struct {
	Issuer, Subject, Algorithm string
	Audience                   []string
	// Secret is the shared secret or PEM private key; SecretFile the file that holds it, which wins.
	Secret, SecretFile string
}

// oauth2 reads tokens and sessions of the system file.
func (l *loader) oauth2(t *tree) {
	top := t.top()
	out := &l.cfg.System.OAuth2
	*out = OAuth2{AccessLife: 720 * time.Second, RefreshLife: 720 * time.Second, CodeLife: 300 * time.Second}
	for section, life := range map[string]*time.Duration{
		"accessTokens": &out.AccessLife, "refreshTokens": &out.RefreshLife, "authorizationCodes": &out.CodeLife,
	} {
		if tokens, ok := top.get(section); ok {
			milliseconds(tokens, "timeToExpiry", life)
		}
	}
	if access, ok := top.get("accessTokens"); ok && property(access, "tokenType") == TokenTypeJWT {
		out.JWT = &JWTTokens{
			Issuer: property(access, "issuer"), Subject: property(access, "subject"), Algorithm: property(access, "algorithm"),
			Secret: property(access, "secretOrPrivateKey"), SecretFile: property(access, "secretOrPrivateKeyFile"),
		}
		if audience, has := access.get("audience"); has {
			out.JWT.Audience = slices.DeleteFunc(texts(audience.value), func(s string) bool { return s == "" })
		}
		if out.JWT.Algorithm == "" {
			out.JWT.Algorithm = "HS256"
		}
		l.incompleteJWT(t, access, out.JWT)
	}
	session, ok := top.get("session")
	if !ok {
		return
	}
	if secret, has := session.get("secret"); has {
		out.SessionSecrets = slices.DeleteFunc(texts(secret.value), func(s string) bool { return s == "" })
	}
	out.SessionCookie = property(session, "name")
	if cookie, has := session.get("cookie"); has {
		milliseconds(cookie, "maxAge", &out.SessionLife)
		out.SecureCookie = property(cookie, "secure") == "true"
	}
}

// incompleteJWT warns where signing will fail. EG: it starts, and every token request is a 500.
func (l *loader) incompleteJWT(t *tree, at child, have *JWTTokens) {
	var missing []string
	for _, setting := range []struct {
		name string
		set  bool
	}{
		{"issuer", have.Issuer != ""},
		{"audience", len(have.Audience) > 0},
		{"subject", have.Subject != ""},
		{"secretOrPrivateKey", have.Secret != "" || have.SecretFile != ""},
	} {
		if !setting.set {
			missing = append(missing, setting.name)
		}
	}
	if missing == nil {
		return
	}
	l.report(t.childSpot(at), diag.Warning, diag.Problem{
		Code:    "jwt-tokens-incomplete",
		Message: fmt.Sprintf("accessTokens of type jwt lack %s: every request for a token will fail", strings.Join(missing, ", ")),
		Label:   "incomplete", Hint: "set issuer, audience, subject and secretOrPrivateKey",
	})
}

// property is the text of a key of a map; empty when there is none.
func property(c child, name string) string {
	if value, ok := c.get(name); ok {
		return text(value.value)
	}
	return ""
}

// milliseconds sets a duration where the map has a number of milliseconds.
func milliseconds(c child, name string, out *time.Duration) {
	value, ok := c.get(name)
	if !ok {
		return
	}
	if n, isNumber := value.value.(float64); isNumber && n > 0 && n < 1e15 {
		*out = time.Duration(min(n, 9e12)) * time.Millisecond
	}
}
