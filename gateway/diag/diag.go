// Package diag is how anything says what is wrong with a file: what, where, why and what next.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity tells whether a problem stops the work.
type Severity string

// The severities a Problem can have.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Position is a place in a file. Line and Column count from 1; 0 means unknown.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns file:line:column, leaving out what is unknown.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// ComparePositions orders positions by file, line and column.
func ComparePositions(a, b Position) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// Problem is one thing that is wrong with a file that a user wrote.
type Problem struct {
	// Code is stable and names the kind of problem, as "unknown-policy" does.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Position
	// Length is how many columns the caret line covers; 0 means one.
	Length int `json:"length,omitempty"`
	// Message says what is wrong: lower case, no full stop.
	Message string `json:"message"`
	// Label says why, beside the caret; it may be empty.
	Label string `json:"label,omitempty"`
	// Suggestion is the word that was probably meant; it may be empty.
	Suggestion string `json:"suggestion,omitempty"`
	// Hint says what to do next; it may be empty.
	Hint string `json:"hint,omitempty"`
}

// String returns the problem on one line: position, message, suggestion.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.Position.String() + ": ")
	}
	b.WriteString(p.Message)
	if p.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", p.Suggestion)
	}
	return b.String()
}

// Problems are all that is wrong, found in one pass. As an error it lists every one, a line each.
type Problems []Problem

// Error lists the problems, one line each.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns the problems as an error when at least one has severity Error, else nil.
func (ps Problems) Err() error {
	if !ps.HasErrors() {
		return nil
	}
	return ps
}

// HasErrors tells whether at least one problem has severity Error.
func (ps Problems) HasErrors() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return p.Severity == Error })
}

// Sort orders problems by file, line and column.
func (ps Problems) Sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int { return ComparePositions(a.Position, b.Position) })
}

// Compact returns sorted problems without those that say the same of the same place: a piece of YAML
// that stands behind an alias is read once for every use.
func (ps Problems) Compact() Problems {
	return slices.CompactFunc(ps, func(a, b Problem) bool {
		return a.Position == b.Position && a.Severity == b.Severity && a.Message == b.Message
	})
}
