package jwt

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// maxSeconds is a time so late that no clock reaches it, and early enough for time.Time.
const maxSeconds = 1 << 60

// readClaims reads the payload. A name that occurs twice has its last value, as in JavaScript.
func readClaims(text []byte) (*Token, error) {
	t := &Token{}
	if err := json.Unmarshal(text, &t.Claims); err != nil || t.Claims == nil {
		return nil, fmt.Errorf("%w: the payload is no object", ErrClaims)
	}
	t.Subject, _ = t.Claims["sub"].(string)
	t.Scopes = Scopes(t.Claims)
	return t, nil
}

// Scopes returns the scopes of claims, or of the answer of an introspection (RFC 7662): those of scope, or
// of scopes where that is empty. A text separates them by blanks; a list of texts serves too.
func Scopes(claims map[string]any) []string {
	if list := scopeList(claims["scope"]); len(list) > 0 {
		return list
	}
	return scopeList(claims["scopes"])
}

// ScopesOf returns the scopes of one claim, a text with blanks or a list of texts.
func ScopesOf(v any) []string { return scopeList(v) }

func scopeList(v any) []string {
	switch v := v.(type) {
	case string:
		return strings.Fields(v)
	case []any:
		var list []string
		for _, one := range v {
			if text, ok := one.(string); ok {
				list = append(list, text)
			}
		}
		return list
	default:
		return nil
	}
}

// check judges the claims. EG: the clock counts whole seconds, and there is no leeway.
func (v *Verifier) check(t *Token, now time.Time) error {
	clock := float64(now.Unix())
	if before, given := t.Claims["nbf"]; given {
		seconds, err := numericDate("nbf", before)
		if err != nil {
			return err
		}
		if seconds > clock {
			return ErrNotYetValid
		}
	}
	if ends, given := t.Claims["exp"]; given {
		seconds, err := numericDate("exp", ends)
		if err != nil {
			return err
		}
		seconds = math.Floor(seconds)
		if clock >= seconds {
			return ErrExpired
		}
		t.Expires = time.Unix(int64(seconds), 0)
	}
	if v.audience != "" && !contains(t.Claims["aud"], v.audience) {
		return ErrAudience
	}
	if v.issuer != "" && t.Claims["iss"] != v.issuer {
		return ErrIssuer
	}
	return nil
}

// numericDate wants a number: a text of digits is none.
func numericDate(name string, v any) (float64, error) {
	seconds, ok := v.(float64)
	if !ok || math.Abs(seconds) > maxSeconds {
		return 0, fmt.Errorf("%w: %s is no time", ErrClaims, name)
	}
	return seconds, nil
}

// contains tells whether an aud claim, a text or a list of texts, names want.
func contains(aud any, want string) bool {
	list, ok := aud.([]any)
	if !ok {
		return aud == any(want)
	}
	found := false
	for _, one := range list {
		text, ok := one.(string)
		if !ok {
			return false
		}
		found = found || text == want
	}
	return found
}
