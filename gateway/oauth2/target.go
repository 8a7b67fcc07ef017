package oauth2

import (
	"net/url"
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

// param is one parameter of an answer.
type param struct{ name, value string }

// answerClient sends the user's browser back to the client: parameters of a code in the query, of a token in the
// fragment.
func (s *Server) answerClient(x *message.Exchange, txn *transaction, params []param) {
	if txn.State != "" {
		params = append(params, param{"state", txn.State})
	}
	u, err := url.Parse(txn.RedirectURI)
	if err != nil {
		return // redirectable let none through
	}
	if u.Path == "" && u.Host != "" {
		u.Path = "/" // EG: url.format of node
	}
	if txn.Type == "token" {
		u.Fragment, u.RawFragment = "", ""
		redirect(x, u.String()+"#"+encode("", params))
		return
	}
	u.RawQuery = encode(u.RawQuery, params)
	redirect(x, u.String())
}

// encode puts params behind the pairs of a query, and in place of those of the same name.
func encode(query string, params []param) string {
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		ours := false
		for _, p := range params {
			ours = ours || name == p.name
		}
		if pair != "" && !ours {
			pairs = append(pairs, pair)
		}
	}
	for _, p := range params {
		pairs = append(pairs, p.name+"="+strings.ReplaceAll(url.QueryEscape(p.value), "+", "%20"))
	}
	return strings.Join(pairs, "&")
}

// redirectable tells whether a browser may be sent to a URI: absolute, and nothing that a browser would run.
func redirectable(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return false
	}
	switch u.Scheme { // url.Parse made it lower case
	case "javascript", "data", "vbscript", "file", "blob":
		return false
	case "http", "https":
		return u.Host != ""
	default:
		return true // of an application on the user's machine (RFC 8252)
	}
}

// formTargets is where the consent form may lead: browsers hold the redirect behind it to the policy, too.
func formTargets(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return "'self'"
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return "'self' " + u.Scheme + ":"
	}
	if strings.ContainsAny(u.Host, ";, '\"") {
		return "'self' " + u.Scheme + ":"
	}
	return "'self' " + u.Scheme + "://" + u.Host
}

// hostOf names the place where the answer goes, for the user to see.
func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	if u.Host == "" {
		return u.Scheme
	}
	return u.Host
}
