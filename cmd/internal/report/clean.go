package report

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Clean makes foreign text safe to write on one line: no escape sequences, no control characters and
// line ends, and no characters that reorder what a reader sees.
func Clean(s string) string {
	s = ansi.Strip(s)
	// GitHub's runner takes ##[command] for a command wherever it stands in a line.
	s = strings.ReplaceAll(s, "##[", "# #[")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar:
			return -1
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x2028, r == 0x2029:
			return -1
		}
		return r
	}, s)
}
