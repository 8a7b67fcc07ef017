package message

import (
	"net/url"
	"strings"
)

// Query are the parameters of a query string by name, in order of their values.
type Query map[string][]string

// Get returns the first value of name and whether there is one. Names are case-sensitive.
func (q Query) Get(name string) (string, bool) {
	vs := q[name]
	if len(vs) == 0 {
		return "", false
	}
	return vs[0], true
}

// ParseQuery parses a query string as Express does: broken percent escapes stay as they are,
// ";" does not separate, and a name without "=" has an empty value. It never fails.
func ParseQuery(raw string) Query {
	q := Query{}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name = unescape(name)
		q[name] = append(q[name], unescape(value))
	}
	return q
}

func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return strings.ReplaceAll(s, "+", " ")
}
