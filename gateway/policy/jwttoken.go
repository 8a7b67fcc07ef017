package policy

import (
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// tokenFinder finds the token of a request; empty: there is none.
type tokenFinder func(r *message.Request) string

// newTokenFinder reads jwtExtractor and jwtExtractorField. EG: the extractors of passport-jwt 4.
func newTokenFinder(step config.Step, p params) (tokenFinder, diag.Problems) {
	field := p.text("jwtExtractorField")
	switch extractor := p.text("jwtExtractor"); extractor {
	case "header":
		if field == "" || field != strings.ToLower(field) {
			// EG: node has the names in small letters, and compares as it stands here.
			never := func(*message.Request) string { return "" }
			return never, diag.Problems{warning(step, "jwtExtractorField %q is no header name in small letters: no token is ever found", field)}
		}
		return func(r *message.Request) string { return r.Header.Joined(field) }, nil
	case "query":
		var problems diag.Problems
		if field == "" {
			problems = diag.Problems{warning(step, "jwtExtractorField names no query parameter: no token is ever found")}
		}
		return func(r *message.Request) string { return onlyParameter(r, field) }, problems
	case "authScheme":
		if field == "" {
			return nil, diag.Problems{problem(step, "jwtExtractorField must name the scheme")}
		}
		return func(r *message.Request) string { return schemeToken(r, field) }, nil
	default:
		return func(r *message.Request) string { return schemeToken(r, "bearer") }, nil
	}
}

// onlyParameter is the value of a query parameter that occurs once.
func onlyParameter(r *message.Request, name string) string {
	if strings.IndexByte(r.URL, '?') < 0 {
		return ""
	}
	if values := r.Query()[name]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// schemeToken is the word behind a scheme, whose case does not matter; what follows it is not looked at.
func schemeToken(r *message.Request, scheme string) string {
	const blanks = " \t"
	value := strings.TrimLeft(r.Header.Get("Authorization"), blanks)
	at := strings.IndexAny(value, blanks)
	if at < 0 || !strings.EqualFold(value[:at], scheme) {
		return ""
	}
	value = strings.TrimLeft(value[at:], blanks)
	if end := strings.IndexAny(value, blanks); end >= 0 {
		value = value[:end]
	}
	return value
}
