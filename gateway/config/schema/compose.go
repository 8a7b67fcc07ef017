package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkComposed applies allOf, anyOf, oneOf, not and if.
func (c *checker) checkComposed(n *node, v any, at Path) any {
	for _, sub := range n.allOf {
		v = c.check(sub, v, at)
	}
	if n.anyOf != nil {
		v = c.checkAny(n.anyOf, v, at)
	}
	if n.oneOf != nil {
		c.checkOne(n.oneOf, v, at)
	}
	if n.not != nil {
		if _, bad := c.try(n.not, v, at); len(bad) == 0 {
			c.add(at, "not", "is of a kind that is not allowed here")
		}
	}
	if n.when == nil {
		return v
	}
	branch := n.then
	if _, bad := c.try(n.when, v, at); len(bad) > 0 {
		branch = n.otherwise
	}
	if branch != nil {
		v = c.check(branch, v, at)
	}
	return v
}

func (c *checker) checkAny(subs []*node, v any, at Path) any {
	var best []Violation
	for _, sub := range subs {
		out, bad := c.try(sub, v, at)
		if len(bad) == 0 {
			return out
		}
		if best == nil || rank(bad, at) > rank(best, at) {
			best = bad
		}
	}
	if names := alternatives(subs); names != nil {
		c.add(at, "anyOf", "needs %s", joinOr(quoted(names)))
		return v
	}
	if rank(best, at) == 0 {
		c.add(at, "anyOf", "must be %s", joinOr(kinds(subs)))
		return v
	}
	c.violations = append(c.violations, best...)
	return v
}

// rank is 0 when the branch does not even take this type of value.
func rank(bad []Violation, at Path) int {
	for _, v := range bad {
		if len(v.Path) == len(at) && v.Code == "type" {
			return 0
		}
	}
	return 1
}

func (c *checker) checkOne(subs []*node, v any, at Path) {
	matched := 0
	for _, sub := range subs {
		if len(sub.doc) == 1 && len(sub.required) == 1 { // the usual form, tried without a copy
			if m, isMap := v.(map[string]any); isMap {
				if _, has := m[sub.required[0]]; has {
					matched++
				}
				continue
			}
		}
		if _, bad := c.try(sub, v, at); len(bad) == 0 {
			matched++
		}
	}
	if matched == 1 {
		return
	}
	names := alternatives(subs)
	switch m, isMap := v.(map[string]any); {
	case names == nil || !isMap:
		c.add(at, "oneOf", "must match exactly one of %d forms, it matches %d", len(subs), matched)
	case matched == 0:
		violation := c.missing(&node{}, m, names[0], at)
		violation.Code, violation.Message = "oneOf", "needs "+joinOr(quoted(names))
		c.violations = append(c.violations, violation)
	default:
		present := slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, ok := m[name]; return !ok })
		c.violations = append(c.violations, Violation{
			Path: at, Key: present[len(present)-1], Code: "oneOf",
			Message: fmt.Sprintf("has %s, of which only one is allowed", strings.Join(quoted(present), " and ")),
		})
	}
}

// alternatives returns the names when every branch only asks for one property, else nil.
func alternatives(subs []*node) []string {
	var names []string
	for _, sub := range subs {
		s := sub.resolved()
		if len(s.doc) != 1 || len(s.required) != 1 {
			return nil
		}
		names = append(names, s.required[0])
	}
	return names
}

// kinds lists what the branches take, in words.
func kinds(subs []*node) []string {
	var words []string
	for _, sub := range subs {
		s := sub.resolved()
		switch {
		case len(s.types) > 0:
			words = append(words, typeWords(s.types))
		default:
			words = append(words, "another form")
		}
	}
	return slices.Compact(words)
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
