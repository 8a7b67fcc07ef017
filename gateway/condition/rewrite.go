package condition

import (
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pattern"
)

// newRewritePath matches the whole URL, its query included, by a path with parameters, and notes the
// parameters for the rewrite policy.
func newRewritePath(c *config.Condition) (Condition, diag.Problems) {
	path, err := pattern.NewTemplate(text(c, "match"))
	if err != nil {
		return nil, problem(c, err)
	}
	return Func(func(x *message.Exchange) (bool, error) {
		params, ok := path.Match(x.Request.URL)
		if ok {
			x.Match = &message.Match{Params: params}
		}
		return ok, nil
	}), nil
}

// newRewriteRegexp searches a regular expression in the URL, its query included, and notes it for the
// rewrite policy.
func newRewriteRegexp(c *config.Condition) (Condition, diag.Problems) {
	re, err := pattern.Regexp(text(c, "match"), false)
	if err != nil {
		return nil, problem(c, err)
	}
	match := &message.Match{Regexp: re}
	return Func(func(x *message.Exchange) (bool, error) {
		ok := re.MatchString(x.Request.URL)
		if ok {
			x.Match = match
		}
		return ok, nil
	}), nil
}
