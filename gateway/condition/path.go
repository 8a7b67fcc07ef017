package condition

import (
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pattern"
)

// newPathExact compares the whole URL, its query included, with regard to case.
func newPathExact(c *config.Condition) (Condition, diag.Problems) {
	want := text(c, "path")
	return Func(func(x *message.Exchange) (bool, error) { return x.Request.URL == want, nil }), nil
}

// newPathMatch searches a regular expression in the whole URL, its query included.
func newPathMatch(c *config.Condition) (Condition, diag.Problems) {
	re, err := pattern.Regexp(text(c, "pattern"), false)
	if err != nil {
		return nil, problem(c, err)
	}
	return Func(func(x *message.Exchange) (bool, error) { return re.MatchString(x.Request.URL), nil }), nil
}
