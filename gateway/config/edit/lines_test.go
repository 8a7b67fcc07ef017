package edit_test

import (
	"slices"
	"strings"
)

// changes are the lines that went and came, in order.
func changes(before, after string) []string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	var out []string
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) > 0 && len(b) > 0 && a[0] == b[0]:
			a, b = a[1:], b[1:]
		case len(a) > 0 && !slices.Contains(b, a[0]):
			out, a = append(out, "-"+a[0]), a[1:]
		default:
			out, b = append(out, "+"+b[0]), b[1:]
		}
	}
	return out
}
