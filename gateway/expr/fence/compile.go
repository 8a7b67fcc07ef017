package fence

import (
	"fmt"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// The limits of a source: parsing and compiling it recurse as deep as it nests.
const (
	maxSource  = 64 << 10
	maxNesting = 400
)

// Program is a compiled script. It is safe for concurrent use.
type Program struct {
	code *goja.Program
	cost int // bytes that its top level may ask for
	// patterns are the regular expressions that stand in the source.
	patterns map[string]*pattern
	surface  *surface
}

// SyntaxError says what is wrong with a source, and where in it.
type SyntaxError struct {
	Line, Column int // from 1; 0: unknown
	Message      string
}

// Error returns the message with its place.
func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("%s (line %d, column %d of the expression)", e.Message, e.Line, e.Column)
}

// Compile compiles a script. An error is a *SyntaxError; it also stands for what this gateway does not run.
func Compile(source string) (*Program, error) {
	if err := checkSize(source); err != nil {
		return nil, err
	}
	tree, err := parser.ParseFile(nil, "", source, 0, parser.WithDisableSourceMaps)
	if err != nil {
		return nil, syntaxError(err)
	}
	cost, in := instrument(tree)
	if in.refused != "" {
		return nil, &SyntaxError{Message: in.refused + " is not supported"}
	}
	p := &Program{cost: cost, patterns: map[string]*pattern{}, surface: newSurface()}
	for _, literal := range in.regexps {
		one, err := compilePattern(literal.Pattern, literal.Flags)
		if err != nil {
			return nil, &SyntaxError{Message: err.Error()}
		}
		p.patterns[patternKey(literal.Pattern, literal.Flags)] = one
	}
	if p.code, err = goja.CompileAST(tree, false); err != nil {
		return nil, syntaxError(err)
	}
	return p, nil
}

func checkSize(source string) error {
	if len(source) > maxSource {
		return &SyntaxError{Message: fmt.Sprintf("the expression is longer than %d bytes", maxSource)}
	}
	depth := 0
	for i := range len(source) {
		switch source[i] {
		case '(', '[', '{':
			if depth++; depth > maxNesting {
				return &SyntaxError{Message: "the expression nests too deep"}
			}
		case ')', ']', '}':
			depth--
		}
	}
	return nil
}

func syntaxError(err error) error {
	if list, ok := err.(parser.ErrorList); ok && len(list) > 0 { //nolint:errorlint // the parser returns it bare
		first := list[0]
		return &SyntaxError{Line: first.Position.Line, Column: first.Position.Column, Message: first.Message}
	}
	return &SyntaxError{Message: strings.TrimPrefix(err.Error(), "SyntaxError: ")}
}
