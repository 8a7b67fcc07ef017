package app

import (
	"strings"

	"egk8s.dev/egk8s/gateway/diag"
)

// Nearest returns the candidate that was probably meant: near as diag.Suggest says, or one that
// begins with the word; empty when there is none.
func Nearest(word string, candidates []string) string {
	if near := diag.Suggest(word, candidates); near != "" || len(word) < 3 {
		return near
	}
	for _, c := range candidates {
		if strings.HasPrefix(c, strings.ToLower(word)) {
			return c
		}
	}
	return ""
}
