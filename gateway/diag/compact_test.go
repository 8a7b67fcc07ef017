package diag_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/diag"
)

// TestCompact: an alias that is used three times makes one problem, two problems of a place stay two.
func TestCompact(t *testing.T) {
	t.Parallel()
	at := diag.Position{File: "gateway.config.yml", Line: 5, Column: 3}
	a := diag.Problem{Severity: diag.Warning, Position: at, Message: "a is not read"}
	b := diag.Problem{Severity: diag.Warning, Position: at, Message: "b is not read"}
	if d := cmp.Diff(diag.Problems{a, b}, diag.Problems{a, a, a, b}.Compact()); d != "" {
		t.Error(d)
	}
}
