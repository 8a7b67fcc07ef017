// Package schema validates values against the subset of JSON Schema draft-07 that Express Gateway's
// configuration, policies, conditions and models use, with the rules of the reference's validator
// (ajv 6 with coerceTypes and useDefaults): "8080" becomes a number where a number is asked for,
// missing properties get their defaults. It reports every violation with the path of the value.
//
// Values are those of encoding/json: nil, bool, float64, string, []any, map[string]any;
// besides, Unknown and Regexp.
package schema

import (
	"slices"
	"strconv"
	"strings"
)

// Schema is one compiled schema. It is safe for concurrent use.
type Schema struct {
	root *node
	doc  map[string]any
}

// Path leads to a value: keys of objects and indexes of lists.
type Path []string

// String joins the path: pipelines.shop.policies[0].
func (p Path) String() string {
	var b strings.Builder
	for i, e := range p {
		_, err := strconv.Atoi(e)
		switch {
		case err == nil && i > 0:
			b.WriteString("[" + e + "]")
		case i > 0:
			b.WriteString("." + e)
		default:
			b.WriteString(e)
		}
	}
	return b.String()
}

// with returns the path of a child; the receiver stays as it is.
func (p Path) with(e string) Path {
	return append(slices.Clip(p), e)
}

// Violation is one place where a value does not match.
type Violation struct {
	// Path leads to the value.
	Path Path
	// Key is set when a key of the object at Path is at fault, not the object: it is unknown, or misspelt.
	Key string
	// Code is the schema keyword that was violated: "type", "required", "enum", …
	Code string
	// Message follows a name of the value: "must be a number". It never quotes the value.
	Message string
	// Suggestion is the word that was probably meant; it may be empty.
	Suggestion string
}

// Validate returns a copy of v with coerced values and defaults filled in, and all that does not match.
func (s *Schema) Validate(v any) (any, []Violation) {
	c := &checker{defaults: true}
	out := c.check(s.root, clone(v), nil)
	return out, c.violations
}

// maxChecks bounds what one value of a client can cost: a schema whose alternatives refer to themselves would
// else take twice as long for every level of the value.
const maxChecks = 200_000

// Check is Validate for values of clients: it ends at the first violation, which it returns, and the cost is
// bounded. Without one it returns a copy of v with coerced values and defaults.
func (s *Schema) Check(v any) (any, *Violation) {
	budget := maxChecks
	c := &checker{defaults: true, quick: true, budget: &budget}
	out := c.check(s.root, clone(v), nil)
	if len(c.violations) > 0 {
		return v, &c.violations[0]
	}
	return out, nil
}

// Document returns the schema as it was written. The caller must not change it.
func (s *Schema) Document() map[string]any { return s.doc }

// Properties returns the names of the properties that the schema describes at its top, allOf included, sorted.
func (s *Schema) Properties() []string {
	var names []string
	s.root.walkProperties(func(name string, _ *node) { names = append(names, name) })
	slices.Sort(names)
	return slices.Compact(names)
}

// Immutable returns the properties with "isMutable": false, a keyword of Express Gateway's models, sorted.
func (s *Schema) Immutable() []string {
	var names []string
	s.root.walkProperties(func(name string, n *node) {
		if n.immutable {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// Property returns the schema of one property at the top, or nil.
func (s *Schema) Property(name string) *Schema {
	var found *Schema
	s.root.walkProperties(func(n string, sub *node) {
		if n == name && found == nil {
			found = &Schema{root: sub, doc: sub.doc}
		}
	})
	return found
}

func (n *node) walkProperties(visit func(name string, n *node)) {
	if n.ref != nil {
		n.ref.walkProperties(visit)
		return
	}
	for _, p := range n.properties {
		visit(p.name, p.node)
	}
	for _, sub := range n.allOf {
		sub.walkProperties(visit)
	}
}
