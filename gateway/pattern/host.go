package pattern

import (
	"regexp"
	"strings"
)

// Host is a compiled host pattern; it sees the Host header without its port and ignores case.
// EG: vhost 3.0.
type Host struct {
	source string
	any    bool
	exact  string // in lower case; empty for patterns
	re     *regexp.Regexp
}

// NewHost compiles a host name in which every "*" stands for one label. "" and "*" are every host.
func NewHost(source string) *Host {
	h := &Host{source: source}
	switch {
	case source == "" || source == "*":
		h.any = true
	case !strings.Contains(source, "*"):
		h.exact = strings.ToLower(source)
	default:
		quoted := strings.ReplaceAll(regexp.QuoteMeta(source), `\*`, `[^.]+`)
		h.re = regexp.MustCompile(`(?i)^` + quoted + `$`)
	}
	return h
}

// NewHostRegexp compiles an expression on the whole host name.
func NewHostRegexp(source string) (*Host, error) {
	anchored := source
	if !strings.HasPrefix(anchored, "^") {
		anchored = "^" + anchored
	}
	if !endAnchored(anchored) {
		anchored += "$"
	}
	re, err := Regexp(anchored, true)
	if err != nil {
		return nil, err
	}
	return &Host{source: source, re: re}, nil
}

// endAnchored tells whether a "$" that is not escaped ends s.
func endAnchored(s string) bool {
	rest, ok := strings.CutSuffix(s, "$")
	slashes := len(rest) - len(strings.TrimRight(rest, `\`))
	return ok && slashes%2 == 0
}

// String returns the pattern as written.
func (h *Host) String() string { return h.source }

// Exact returns the only name that matches, in lower case.
func (h *Host) Exact() (string, bool) { return h.exact, h.exact != "" }

// Match tells whether the host name, without its port, matches.
func (h *Host) Match(name string) bool {
	switch {
	case h.any:
		return true
	case name == "":
		return false
	case h.exact != "":
		return strings.EqualFold(name, h.exact)
	default:
		return h.re.MatchString(name)
	}
}
