package policy

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pattern"
)

// rewrite changes the URL that a pathmatch or regexpmatch condition matched, or redirects to the new one.
// EG: the rewrite plugin 1.3.0.
type rewrite struct {
	template    *pattern.Template // for pathmatch
	broken      error             // why there is no template
	replacement string            // for regexpmatch
	status      int               // of a redirect; 0: the request goes on with the new URL
}

func newRewrite(step config.Step, _ *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	r := &rewrite{replacement: p.text("rewrite")}
	r.status, _ = p.number("redirect")
	if r.status != 0 && (r.status < 200 || r.status > 999) {
		return nil, diag.Problems{problem(step, "redirect: %d is no status of an answer", r.status)}
	}
	r.template, r.broken = pattern.NewTemplate(r.replacement)
	switch {
	case r.broken != nil && uses(step.Condition, "pathmatch"):
		return nil, diag.Problems{problem(step, "rewrite: %v", r.broken)}
	case step.Condition == nil:
		lonely := problem(step, "it has no condition: where no pathmatch or regexpmatch of an earlier step matched, the request will be answered by 500")
		lonely.Severity = diag.Warning
		return r, diag.Problems{lonely}
	}
	return r, nil
}

// uses tells whether a condition is, or has inside, one of the given name.
func uses(c *config.Condition, name string) bool {
	if c == nil || c.Name == name {
		return c != nil
	}
	for i := range c.Nested {
		if uses(&c.Nested[i], name) {
			return true
		}
	}
	return false
}

// Apply computes the new URL.
func (r *rewrite) Apply(_ context.Context, x *message.Exchange) (message.Verdict, error) {
	to, err := r.target(x)
	if err != nil {
		return message.Continue, err
	}
	if r.status != 0 {
		r.redirect(x, to)
		return message.Answered, nil
	}
	if strings.ContainsFunc(to, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return message.Continue, errors.New("the rewritten URL has a blank or a control character")
	}
	x.Request.URL = to
	return message.Continue, nil
}

func (r *rewrite) target(x *message.Exchange) (string, error) {
	switch {
	case x.Match == nil:
		return "", errors.New("no pathmatch or regexpmatch condition matched this request")
	case x.Match.Regexp != nil:
		return pattern.ReplaceFirst(x.Match.Regexp, x.Request.URL, r.replacement), nil
	case r.broken != nil:
		return "", r.broken
	default:
		return r.template.Expand(x.Match.Params)
	}
}

// redirect sends the client to another URL.
// EG: res.redirect of Express; "back" is the page that the client comes from.
func (r *rewrite) redirect(x *message.Exchange, to string) {
	if to == "back" {
		if to = x.Request.Header.Get("Referer"); to == "" {
			to = "/"
		}
	}
	to = encodeURL(to)
	x.Response.Header.Set("Location", to)
	vary(x.Response.Header, "Accept")
	text := fmt.Sprintf("%s. Redirecting to ", http.StatusText(r.status))
	switch x.Request.Accepts("text/plain", "text/html") {
	case "text/plain":
		x.Response.SendText(r.status, text+to)
	case "text/html":
		x.Response.SendHTML(r.status, "<p>"+text+html.EscapeString(to)+"</p>")
	default:
		x.Response.Header.Set("Content-Length", "0")
		x.Response.WriteHead(r.status)
	}
}

// encodeURL encodes what cannot stand in a URL, and keeps the escapes that it has.
func encodeURL(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		escape := c == '%' && i+2 < len(s) && isHexDigit(s[i+1]) && isHexDigit(s[i+2])
		if escape || c != '%' && c > ' ' && c < 0x7f && strings.IndexByte("\"<>`{}", c) < 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

func isHexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
