package server

import (
	"strings"
	"testing"
)

// TestLogLinesAreLines: what a client sent, and a template of the policy log brought here, forges no line and moves
// no cursor.
func TestLogLinesAreLines(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	newLogger(&out, "", false).Info("a\r\nb\x1b[2Jc\td\u009be ü", "k", "x\ry\x1b[2J", "plain", "ü")
	got := strings.TrimSuffix(out.String(), "\n")
	if strings.ContainsAny(strings.ReplaceAll(got, "\t", ""), "\r\n\x1b\u009b") ||
		!strings.HasSuffix(got, `info: a\r\nb\x1b[2Jc`+"\t"+`d\u009be ü k="x\ry\x1b[2J" plain=ü`) {
		t.Errorf("%q", got)
	}
}
