package config

import (
	"fmt"
	"strings"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/pattern"
)

// checkPath refuses a path that cannot be compiled and warns of one that never matches.
func (l *loader) checkPath(t *tree, c child, name string) {
	if !known(c.value) {
		return
	}
	path := text(c.value)
	if _, err := pattern.NewPath(path); err != nil {
		l.report(t.pairOrItem(c), diag.Error, diag.Problem{
			Code: "invalid-path", Message: fmt.Sprintf("path of api endpoint %q: it is no Express path: %s", name, shortReason(err)),
		})
		return
	}
	if path != "" && !strings.ContainsAny(path[:1], "/*(:") {
		l.report(t.pairOrItem(c), diag.Warning, diag.Problem{
			Code: "path-never-matches", Message: fmt.Sprintf("path of api endpoint %q has no leading slash and never matches", name),
			Hint: "begin it with /",
		})
	}
}

// checkRegexp refuses what is no regular expression, and what this gateway cannot run.
func (l *loader) checkRegexp(t *tree, c child, subject string) {
	if !known(c.value) || !truthy(c.value) {
		return
	}
	if _, err := pattern.Regexp(text(c.value), false); err != nil {
		l.report(t.pairOrItem(c), diag.Error, diag.Problem{Code: "invalid-regexp", Message: subject + ": " + shortReason(err)})
	}
}

// shortReason leaves out the expression, which may hold the value of a variable.
func shortReason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "/: "); strings.HasPrefix(text, "compile /") && i >= 0 {
		text = text[i+len("/: "):]
	}
	text = strings.TrimPrefix(text, "error parsing regexp: ")
	if i := strings.Index(text, ": `"); i >= 0 {
		text = text[:i]
	}
	return text
}
