// Package condition holds the conditions of pipeline steps, one file each, with their schemas.
package condition

import (
	"fmt"
	"log/slog"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// Condition decides, when a step's turn comes, whether the step runs. It is safe for concurrent use.
type Condition interface {
	// Holds looks at the exchange as it is now. An error ends the request with status 500.
	Holds(x *message.Exchange) (bool, error)
}

// Func is a Condition.
type Func func(x *message.Exchange) (bool, error)

// Holds calls f.
func (f Func) Holds(x *message.Exchange) (bool, error) { return f(x) }

// constructor makes a condition of validated parameters.
type constructor func(c *config.Condition) (Condition, diag.Problems)

// Environment is what conditions need of the rest of the gateway.
type Environment struct {
	// Log receives why a body does not match its schema; nil: nobody asks.
	Log *slog.Logger
}

// constructors is the table of what is built.
func (e *Environment) constructors() map[string]constructor {
	return map[string]constructor{
		"allOf":                  e.newAllOf,
		"always":                 newAlways,
		"anonymous":              newAnonymous,
		"authenticated":          newAuthenticated,
		"expression":             newExpression,
		"hostMatch":              newHostMatch,
		"json-schema":            e.newJSONSchema,
		"method":                 newMethod,
		"never":                  newNever,
		"not":                    e.newNot,
		"oneOf":                  e.newOneOf,
		"pathExact":              newPathExact,
		"pathMatch":              newPathMatch,
		"pathmatch":              newRewritePath,
		"regexpmatch":            newRewriteRegexp,
		"tlsClientAuthenticated": newTLSClientAuthenticated,
	}
}

// New makes the condition that c describes; c was validated by its schema.
// A condition that is not built, or whose parameters cannot be compiled, is a problem at its position.
func New(c *config.Condition, e *Environment) (Condition, diag.Problems) {
	build, ok := e.constructors()[c.Name]
	if !ok {
		return nil, diag.Problems{{
			Code: "condition-not-built", Severity: diag.Error, Position: c.Pos,
			Message: fmt.Sprintf("this gateway cannot run the condition %q yet", c.Name),
		}}
	}
	return build(c)
}

// Catalogue is every known condition with its schema; Built is true for what New can make.
func Catalogue() (map[string]config.Entry, error) {
	docs, err := ReadSchemas()
	if err != nil {
		return nil, err
	}
	built := (&Environment{}).constructors()
	entries := make(map[string]config.Entry, len(docs))
	for name, doc := range docs {
		entries[name] = config.Entry{Schema: doc, Built: built[name] != nil}
	}
	return entries, nil
}

func problem(c *config.Condition, err error) diag.Problems {
	return diag.Problems{{
		Code: "condition-parameters", Severity: diag.Error, Position: c.Pos,
		Message: fmt.Sprintf("condition %q: %v", c.Name, err),
	}}
}

// text returns a parameter that the schema says is a string.
func text(c *config.Condition, name string) string {
	s, _ := c.Params[name].(string)
	return s
}
