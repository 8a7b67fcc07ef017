package policy

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pattern"
)

// cors adds CORS headers and answers preflights.
// EG: the package cors 2.8.6, which answers every OPTIONS request, with or without an Origin.
type cors struct {
	off         bool // origin: false
	fixed       string
	allowed     []func(origin string) bool // any of them; nil with fixed
	methods     string
	headers     string // empty: reflects
	exposed     string
	credentials bool
	maxAge      string
	status      int
	next        bool // preflightContinue
}

func newCORS(step config.Step, _ *Environment) (Policy, diag.Problems) {
	p := params(step.Action)
	c := &cors{credentials: p.flag("credentials"), next: p.flag("preflightContinue")}
	if err := c.origins(p["origin"]); err != nil {
		return nil, diag.Problems{problem(step, "origin: %v", err)}
	}
	join := func(name string) string {
		list := p.list(name)
		return strings.Join(list, ",")
	}
	c.methods, c.headers, c.exposed = join("methods"), join("allowedHeaders"), join("exposedHeaders")
	if seconds, ok := p.number("maxAge"); ok {
		c.maxAge = strconv.Itoa(seconds)
	}
	c.status, _ = p.number("optionsSuccessStatus")
	return c, nil
}

// origins reads the parameter origin: a text is fixed, true reflects, false turns everything off,
// a list or a regular expression reflects what matches.
func (c *cors) origins(v any) error {
	switch v := v.(type) {
	case nil:
		c.fixed = "*"
	case bool:
		c.off = !v
		c.allowed = append(c.allowed, func(string) bool { return true })
	case string:
		c.fixed = v
	case []any:
		c.allowed = []func(string) bool{}
		for _, one := range v {
			if err := c.allow(one); err != nil {
				return err
			}
		}
	default:
		return c.allow(v)
	}
	return nil
}

func (c *cors) allow(v any) error {
	switch v := v.(type) {
	case string:
		c.allowed = append(c.allowed, func(origin string) bool { return origin == v })
	case schema.Regexp:
		re, err := pattern.Regexp(v.Source, strings.Contains(v.Flags, "i"))
		if err != nil {
			return err
		}
		c.allowed = append(c.allowed, re.MatchString)
	}
	return nil
}

func (c *cors) Apply(_ context.Context, x *message.Exchange) (message.Verdict, error) {
	if c.off {
		return message.Continue, nil
	}
	h := x.Response.Header
	c.origin(x, h)
	if c.credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if x.Request.Method != "OPTIONS" {
		if c.exposed != "" {
			h.Set("Access-Control-Expose-Headers", c.exposed)
		}
		return message.Continue, nil
	}
	c.preflight(x, h)
	if c.next {
		return message.Continue, nil
	}
	h.Set("Content-Length", "0") // Safari hangs on a 204 without it
	x.Response.WriteHead(c.status)
	return message.Answered, nil
}

func (c *cors) origin(x *message.Exchange, h message.Header) {
	switch {
	case c.fixed == "*":
		h.Set("Access-Control-Allow-Origin", "*")
		return
	case c.fixed != "":
		h.Set("Access-Control-Allow-Origin", c.fixed)
	default:
		origin := x.Request.Header.Get("Origin")
		matches := func(allowed func(string) bool) bool { return allowed(origin) }
		if origin != "" && slices.ContainsFunc(c.allowed, matches) {
			h.Set("Access-Control-Allow-Origin", origin)
		}
	}
	vary(h, "Origin")
}

func (c *cors) preflight(x *message.Exchange, h message.Header) {
	if c.methods != "" {
		h.Set("Access-Control-Allow-Methods", c.methods)
	}
	headers := c.headers
	if headers == "" {
		headers = x.Request.Header.Get("Access-Control-Request-Headers")
		vary(h, "Access-Control-Request-Headers")
	}
	if headers != "" {
		h.Set("Access-Control-Allow-Headers", headers)
	}
	if c.maxAge != "" {
		h.Set("Access-Control-Max-Age", c.maxAge)
	}
	if c.exposed != "" {
		h.Set("Access-Control-Expose-Headers", c.exposed)
	}
}

// vary adds a name to the field Vary.
func vary(h message.Header, name string) {
	if before := h.Get("Vary"); before != "" {
		name = before + ", " + name
	}
	h.Set("Vary", name)
}
