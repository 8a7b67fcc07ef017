package expr

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textToNumber converts a text as JavaScript's Number does.
func textToNumber(v string) float64 {
	s := trim(v)
	switch {
	case s == "":
		return 0
	case strings.TrimLeft(s, "0123456789.eE+-") == "":
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !math.IsInf(f, 0) {
			return math.NaN()
		}
		return f
	case s == "Infinity" || s == "+Infinity":
		return math.Inf(1)
	case s == "-Infinity":
		return math.Inf(-1)
	case len(s) > 2 && s[0] == '0' && strings.IndexByte("xXoObB", s[1]) >= 0 && !strings.Contains(s, "_"):
		if n, err := strconv.ParseUint(s, 0, 53); err == nil {
			return float64(n)
		}
	}
	return math.NaN()
}

// trim removes what JavaScript takes for white space.
func trim(s string) string { return strings.TrimFunc(s, isSpace) }

func isSpace(r rune) bool {
	return r == '\ufeff' || r != '\u0085' && unicode.IsSpace(r)
}

// isASCII tells whether bytes, characters and JavaScript's units are the same.
func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
