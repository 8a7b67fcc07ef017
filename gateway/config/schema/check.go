package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/diag"
)

// checker walks a value along a schema, changes it and collects what does not match.
type checker struct {
	violations []Violation
	// defaults is false inside anyOf, oneOf, not and if, where ajv fills in nothing.
	defaults bool
	// quick ends the walk at the first violation, and guesses at no better names.
	quick bool
	// budget is how many more values may be looked at or copied; nil: as many as there are.
	budget *int
}

func (c *checker) add(at Path, code, format string, args ...any) {
	c.violations = append(c.violations, Violation{Path: at, Code: code, Message: fmt.Sprintf(format, args...)})
}

// spend takes n from the budget; false: there is nothing left.
func (c *checker) spend(n int) bool {
	if c.budget == nil {
		return true
	}
	*c.budget -= n
	return *c.budget >= 0
}

// suggest is diag.Suggest where somebody reads the problem.
func (c *checker) suggest(word string, words []string) string {
	if c.quick {
		return ""
	}
	return diag.Suggest(word, words)
}

// try checks v apart: nothing is reported, defaults stay out.
func (c *checker) try(n *node, v any, at Path) (any, []Violation) {
	apart := &checker{quick: c.quick, budget: c.budget}
	if t := typeOf(v); (t == "object" || t == "array") && len(n.resolved().types) > 0 && !slices.Contains(n.resolved().types, t) {
		apart.add(at, "type", "must be %s", typeWords(n.resolved().types)) // known without a copy: collections are not coerced
		return v, apart.violations
	}
	if c.budget != nil {
		c.spend(count(v))
	}
	out := apart.check(n, clone(v), at)
	return out, apart.violations
}

// check returns v with coercions and defaults.
func (c *checker) check(n *node, v any, at Path) any {
	if c.quick && len(c.violations) > 0 {
		return v
	}
	if !c.spend(1) {
		c.add(at, "budget", "takes too long to check")
		return v
	}
	for n.ref != nil {
		n = n.ref
	}
	if n.never {
		c.add(at, "false", "is not allowed")
		return v
	}
	if _, ok := v.(Unknown); ok {
		c.checkUnknown(n, at)
		return v
	}
	if len(n.types) > 0 && !slices.ContainsFunc(n.types, func(t string) bool { return hasType(v, t) }) {
		coerced, ok := coerce(v, n.types)
		if !ok {
			c.add(at, "type", "must be %s", typeWords(n.types))
			return v
		}
		v = coerced
	}
	c.checkScalar(n, v, at)
	switch t := v.(type) {
	case map[string]any:
		c.checkObject(n, t, at)
	case []any:
		c.checkList(n, t, at)
	}
	return c.checkComposed(n, v, at)
}

// checkUnknown refuses an unknown scalar only where no scalar can stand.
func (c *checker) checkUnknown(n *node, at Path) {
	scalar := func(t string) bool { return t != "object" && t != "array" }
	if len(n.types) > 0 && !slices.ContainsFunc(n.types, scalar) {
		c.add(at, "type", "must be %s", typeWords(n.types))
	}
}

func (c *checker) checkScalar(n *node, v any, at Path) {
	if n.enum != nil && !slices.ContainsFunc(n.enum, func(e any) bool { return reflect.DeepEqual(e, v) }) {
		words := enumWords(n.enum)
		violation := Violation{Path: at, Code: "enum", Message: "must be " + joinOr(words)}
		if s, ok := v.(string); ok {
			violation.Suggestion = c.suggest(s, words)
		}
		c.violations = append(c.violations, violation)
	}
	of, size := measure(v)
	for _, l := range n.limits {
		if l.of == of && !l.holds(size) {
			c.add(at, l.code, "%s", l.message)
		}
	}
	if s, ok := v.(string); ok {
		if n.pattern != nil && !n.pattern.MatchString(s) {
			c.add(at, "pattern", "must match %s", n.pattern)
		}
		if words, holds := formatWords(n.format); holds != nil && !holds(s) {
			c.add(at, "format", "%s", words)
		}
	}
	if _, ok := v.(Regexp); n.instanceOf == "RegExp" && !ok {
		c.add(at, "instanceof", "must be a regular expression")
	}
}

func (c *checker) checkObject(n *node, m map[string]any, at Path) {
	for _, p := range n.properties {
		v, ok := m[p.name]
		if !ok {
			if d := p.node.resolved(); c.defaults && d.hasDefault {
				m[p.name] = c.check(p.node, clone(d.def), at.with(p.name))
			}
			continue
		}
		m[p.name] = c.check(p.node, v, at.with(p.name))
	}
	if n.additional != nil || n.patterns != nil || n.propertyNames != nil {
		for _, key := range sortedKeys(m) {
			c.checkKey(n, m, key, at)
		}
	}
	c.checkPresence(n, m, at)
}

// checkPresence looks for properties that must be there.
func (c *checker) checkPresence(n *node, m map[string]any, at Path) {
	for _, name := range n.required {
		if _, ok := m[name]; !ok {
			c.violations = append(c.violations, c.missing(n, m, name, at))
		}
	}
	for _, name := range sortedKeys(n.dependents) {
		if _, ok := m[name]; ok {
			c.check(n.dependents[name], m, at)
		}
	}
	for _, name := range sortedKeys(n.dependencies) {
		if _, ok := m[name]; !ok {
			continue
		}
		for _, need := range n.dependencies[name] {
			if _, ok := m[need]; !ok {
				c.add(at, "dependencies", "needs %q because it has %q", need, name)
			}
		}
	}
}

// checkKey looks at one key beside the known properties.
func (c *checker) checkKey(n *node, m map[string]any, key string, at Path) {
	if n.propertyNames != nil {
		if _, bad := c.try(n.propertyNames, key, at); len(bad) > 0 {
			c.violations = append(c.violations, Violation{Path: at, Key: key, Code: "propertyNames", Message: "has a key that is not allowed: it " + bad[0].Message})
		}
	}
	known := slices.ContainsFunc(n.properties, func(p property) bool { return p.name == key })
	for _, p := range n.patterns {
		if p.pattern.MatchString(key) {
			known = true
			m[key] = c.check(p.node, m[key], at.with(key))
		}
	}
	if known || n.additional == nil {
		return
	}
	if n.additional.never {
		c.violations = append(c.violations, Violation{
			Path: at, Key: key, Code: "additionalProperties",
			Message: fmt.Sprintf("has no key %q", key), Suggestion: c.suggest(key, n.names()),
		})
		return
	}
	m[key] = c.check(n.additional, m[key], at.with(key))
}

func (c *checker) checkList(n *node, list []any, at Path) {
	for i, v := range list {
		var sub *node
		switch {
		case i < len(n.tuple):
			sub = n.tuple[i]
		case n.tuple != nil:
			sub = n.additionalItems
		default:
			sub = n.items
		}
		if sub != nil {
			list[i] = c.check(sub, v, at.with(strconv.Itoa(i)))
		}
	}
	if n.uniqueItems {
		c.checkUnique(list, at)
	}
	if n.contains != nil && !slices.ContainsFunc(list, func(e any) bool { _, bad := c.try(n.contains, e, at); return len(bad) == 0 }) {
		c.add(at, "contains", "has no item of the kind it needs")
	}
}

// checkUnique looks for items that stand twice. Lists and maps are compared by their JSON.
func (c *checker) checkUnique(list []any, at Path) {
	type encoded string
	seen := make(map[any]bool, len(list))
	for i, v := range list {
		key := v
		switch v.(type) {
		case []any, map[string]any:
			text, err := json.Marshal(v)
			if err != nil {
				continue
			}
			key = encoded(text)
		}
		if seen[key] {
			c.add(at.with(strconv.Itoa(i)), "uniqueItems", "stands twice in the list")
		}
		seen[key] = true
	}
}

// missing describes a property that is not there; a key that nearly has its name is what is at fault.
func (c *checker) missing(n *node, m map[string]any, name string, at Path) Violation {
	v := Violation{Path: at, Code: "required", Message: fmt.Sprintf("needs %q", name)}
	if c.quick {
		return v
	}
	for _, key := range sortedKeys(m) {
		known := slices.ContainsFunc(n.properties, func(p property) bool { return p.name == key })
		if !known && diag.Suggest(key, []string{name}) == name {
			v.Key, v.Suggestion = key, name
			break
		}
	}
	return v
}

func (n *node) resolved() *node {
	for n.ref != nil {
		n = n.ref
	}
	return n
}

func (n *node) names() []string {
	names := make([]string, len(n.properties))
	for i, p := range n.properties {
		names[i] = p.name
	}
	return names
}

func typeWords(types []string) string {
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = map[string]string{
			"string": "a string", "number": "a number", "integer": "a whole number", "boolean": "true or false",
			"array": "a list", "object": "a map", "null": "null",
		}[t]
	}
	return joinOr(words)
}

func enumWords(enum []any) []string {
	words := make([]string, len(enum))
	for i, e := range enum {
		words[i] = fmt.Sprint(e)
	}
	return words
}

func joinOr(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
