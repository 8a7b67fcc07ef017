package config

import (
	"fmt"
	"regexp"
	"strings"

	"egk8s.dev/egk8s/gateway/diag"
)

// checkPaths refuses paths that Express cannot compile and warns of those that never match.
func (l *loader) checkPaths(t *tree, c child, name string) {
	for _, item := range items(c) {
		path := text(item.value)
		if !known(item.value) {
			continue
		}
		if err := checkPath(path); err != nil {
			l.report(t.pairOrItem(item), diag.Error, diag.Problem{Code: "invalid-path", Message: fmt.Sprintf("path of api endpoint %q: %v", name, err)})
			continue
		}
		if path != "" && !strings.ContainsAny(path[:1], "/*(:") {
			l.report(t.pairOrItem(item), diag.Warning, diag.Problem{
				Code: "path-never-matches", Message: fmt.Sprintf("path of api endpoint %q has no leading slash and never matches", name),
				Hint: "begin it with /",
			})
		}
	}
}

func (l *loader) checkRegexp(t *tree, c child, subject string) {
	if !known(c.value) || !truthy(c.value) {
		return
	}
	if err := checkRegexp(text(c.value)); err != nil {
		l.report(t.pairOrItem(c), diag.Error, diag.Problem{Code: "invalid-regexp", Message: subject + ": " + err.Error()})
	}
}

func checkRegexp(source string) error {
	_, err := regexp.Compile(strings.ReplaceAll(source, `\/`, "/"))
	return err
}

func checkPath(source string) error {
	_, err := regexp.Compile(strings.ReplaceAll(source, "*", "(.*)"))
	return err
}
