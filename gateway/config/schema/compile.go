package schema

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// node is one compiled (sub)schema.
type node struct {
	doc   map[string]any
	never bool  // the schema false
	ref   *node // $ref; as in ajv 6 all keywords beside it are ignored

	types      []string
	enum       []any
	hasDefault bool
	def        any
	immutable  bool
	instanceOf string

	properties    []property // sorted by name
	patterns      []patternProperty
	additional    *node
	required      []string
	propertyNames *node
	dependencies  map[string][]string
	dependents    map[string]*node // dependencies that are schemas

	items           *node
	tuple           []*node
	additionalItems *node
	contains        *node
	uniqueItems     bool

	format  string
	pattern *regexp.Regexp
	limits  []limit

	allOf, anyOf, oneOf []*node
	not, when           *node
	then, otherwise     *node
}

type property struct {
	name string
	node *node
}

type patternProperty struct {
	pattern *regexp.Regexp
	node    *node
}

// Compile reads a schema. An error names the place inside the schema.
func Compile(doc map[string]any) (*Schema, error) {
	c := &compiler{root: doc, refs: map[string]*node{}}
	n, err := c.compile(doc, "#")
	if err != nil {
		return nil, err
	}
	return &Schema{root: n, doc: doc}, nil
}

// ErrOutside is matched by the error of a reference to another document.
var ErrOutside = errors.New("leads outside of the schema")

type compiler struct {
	root map[string]any
	refs map[string]*node
}

func (c *compiler) compile(v any, at string) (*node, error) {
	switch v := v.(type) {
	case bool:
		return &node{never: !v}, nil
	case map[string]any:
		n := &node{doc: v}
		if ref, ok := v["$ref"].(string); ok {
			target, err := c.resolve(ref, at)
			n.ref = target
			return n, err
		}
		return n, c.fill(n, v, at)
	default:
		return nil, fmt.Errorf("read schema at %s: it must be an object", at)
	}
}

// resolve finds a reference inside the same document.
func (c *compiler) resolve(ref, at string) (*node, error) {
	id, _ := c.root["$id"].(string)
	fragment, ok := strings.CutPrefix(strings.TrimPrefix(ref, id), "#")
	if !ok && ref != id {
		return nil, fmt.Errorf("read schema at %s: reference %q %w", at, ref, ErrOutside)
	}
	if n, ok := c.refs[fragment]; ok {
		return n, nil
	}
	var v any = c.root
	for part := range strings.SplitSeq(strings.TrimPrefix(fragment, "/"), "/") {
		if part == "" {
			continue
		}
		m, _ := v.(map[string]any)
		v = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
	}
	if v == nil {
		return nil, fmt.Errorf("read schema at %s: reference %q leads nowhere", at, ref)
	}
	n := &node{}
	c.refs[fragment] = n // before compiling: a schema may refer to itself
	target, err := c.compile(v, "#"+fragment)
	if err != nil {
		return nil, err
	}
	*n = *target
	return n, nil
}

func (c *compiler) fill(n *node, doc map[string]any, at string) error {
	if err := checkKeywords(doc, at); err != nil {
		return err
	}
	n.types = stringList(doc["type"])
	n.enum, _ = doc["enum"].([]any)
	if v, ok := doc["const"]; ok {
		n.enum = []any{v}
	}
	n.def, n.hasDefault = doc["default"]
	if m, ok := doc["isMutable"].(bool); ok {
		n.immutable = !m
	}
	n.instanceOf, _ = doc["instanceof"].(string)
	n.format, _ = doc["format"].(string)
	n.uniqueItems, _ = doc["uniqueItems"].(bool)
	n.required = stringList(doc["required"])
	n.limits = readLimits(doc)
	for _, t := range n.types {
		if !slices.Contains([]string{"null", "boolean", "string", "number", "integer", "array", "object"}, t) {
			return fmt.Errorf("read schema at %s: there is no type %q", at, t)
		}
	}
	if p, ok := doc["pattern"].(string); ok {
		re, err := compileRegexp(p)
		if err != nil {
			return fmt.Errorf("read schema at %s/pattern: %w", at, err)
		}
		n.pattern = re
	}
	if err := c.fillObject(n, doc, at); err != nil {
		return err
	}
	if err := c.fillList(n, doc, at); err != nil {
		return err
	}
	return c.fillComposed(n, doc, at)
}

func (c *compiler) fillObject(n *node, doc map[string]any, at string) error {
	props, _ := doc["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(props)) {
		sub, err := c.compile(props[name], at+"/properties/"+name)
		if err != nil {
			return err
		}
		n.properties = append(n.properties, property{name, sub})
	}
	patterns, _ := doc["patternProperties"].(map[string]any)
	for _, p := range slices.Sorted(maps.Keys(patterns)) {
		re, err := compileRegexp(p)
		if err != nil {
			return fmt.Errorf("read schema at %s/patternProperties: %w", at, err)
		}
		sub, err := c.compile(patterns[p], at+"/patternProperties/"+p)
		if err != nil {
			return err
		}
		n.patterns = append(n.patterns, patternProperty{re, sub})
	}
	deps, _ := doc["dependencies"].(map[string]any)
	for name, d := range deps {
		if list := stringList(d); list != nil {
			if n.dependencies == nil {
				n.dependencies = map[string][]string{}
			}
			n.dependencies[name] = list
			continue
		}
		sub, err := c.compile(d, at+"/dependencies/"+name)
		if err != nil {
			return err
		}
		if n.dependents == nil {
			n.dependents = map[string]*node{}
		}
		n.dependents[name] = sub
	}
	var err error
	if n.additional, err = c.optional(doc, "additionalProperties", at); err != nil {
		return err
	}
	n.propertyNames, err = c.optional(doc, "propertyNames", at)
	return err
}

func (c *compiler) fillList(n *node, doc map[string]any, at string) error {
	var err error
	if list, ok := doc["items"].([]any); ok {
		n.tuple, err = c.list(list, at+"/items")
	} else {
		n.items, err = c.optional(doc, "items", at)
	}
	if err != nil {
		return err
	}
	if n.additionalItems, err = c.optional(doc, "additionalItems", at); err != nil {
		return err
	}
	n.contains, err = c.optional(doc, "contains", at)
	return err
}

func (c *compiler) fillComposed(n *node, doc map[string]any, at string) error {
	for _, k := range []struct {
		keyword string
		target  *[]*node
	}{{"allOf", &n.allOf}, {"anyOf", &n.anyOf}, {"oneOf", &n.oneOf}} {
		list, ok := doc[k.keyword].([]any)
		if !ok {
			continue
		}
		subs, err := c.list(list, at+"/"+k.keyword)
		if err != nil {
			return err
		}
		*k.target = subs
	}
	for _, k := range []struct {
		keyword string
		target  **node
	}{{"not", &n.not}, {"if", &n.when}, {"then", &n.then}, {"else", &n.otherwise}} {
		sub, err := c.optional(doc, k.keyword, at)
		if err != nil {
			return err
		}
		*k.target = sub
	}
	return nil
}

func (c *compiler) optional(doc map[string]any, keyword, at string) (*node, error) {
	v, ok := doc[keyword]
	if !ok {
		return nil, nil //nolint:nilnil // no such keyword: no node, no error
	}
	return c.compile(v, at+"/"+keyword)
}

func (c *compiler) list(docs []any, at string) ([]*node, error) {
	var nodes []*node
	for i, d := range docs {
		n, err := c.compile(d, fmt.Sprintf("%s/%d", at, i))
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// stringList reads a string or a list of strings.
func stringList(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		list := make([]string, 0, len(v))
		for _, e := range v {
			if s, ok := e.(string); ok {
				list = append(list, s)
			}
		}
		return list
	default:
		return nil
	}
}
