package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/expr"
	"egk8s.dev/egk8s/gateway/message"
)

// rules add fields to, and remove fields from, the header or the body of a message.
type rules struct {
	add    []addition
	remove []string
}

// addition is a field with the expression of its value.
type addition struct {
	name  string
	value *expr.Expression
}

// readRules reads "headers" or "body" of a transformer; nil: the step has no such rules.
// EG: a field that is added and removed under one name is not there afterwards.
func readRules(step config.Step, part string) (*rules, diag.Problems) {
	p := params(step.Action).object(part)
	if p == nil {
		return nil, nil
	}
	r := &rules{}
	r.remove = p.list("remove")
	var problems diag.Problems
	add := p.object("add")
	for _, name := range inOrder(step, part+".add", add) {
		source, isText := add[name].(string)
		if number, isNumber := add[name].(float64); isNumber {
			source, isText = schema.FormatNumber(number), true
		}
		if !isText {
			source = fmt.Sprint(add[name])
		}
		value, found := expr.Load(source, fmt.Sprintf("policy %q: %s.add.%s", step.Policy, part, name), step.Pos)
		problems = append(problems, found...)
		if !slices.Contains(r.remove, name) {
			r.add = append(r.add, addition{name: name, value: value})
		}
	}
	return r, problems
}

// inOrder returns the names of a map inside the step's action in the order of the file.
func inOrder(step config.Step, path string, of params) []string {
	names := slices.Clone(step.Order[path])
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// headerRules are rules of a header.
type headerRules struct {
	rules
}

// readHeaderRules reads "headers" of a transformer; nil: the step has none.
//
// EG: received names are in lower case, and "remove" takes away what is spelt exactly like it. So a name
// with capitals removes nothing, and one in lower case does not remove what was added with capitals.
func readHeaderRules(step config.Step) (*headerRules, diag.Problems) {
	r, problems := readRules(step, "headers")
	if r == nil {
		return nil, problems
	}
	for _, a := range r.add {
		if !isFieldName(a.name) {
			problems = append(problems, problem(step, "headers.add: %q cannot be the name of a header field", a.name))
		}
	}
	r.add = slices.DeleteFunc(r.add, func(a addition) bool {
		if !framing(a.name) {
			return false
		}
		p := problem(step, "headers.add: %q is not set: it belongs to the connection", a.name)
		p.Severity = diag.Warning
		problems = append(problems, p)
		return true
	})
	r.remove = slices.DeleteFunc(r.remove, func(name string) bool {
		added := func(a addition) bool { return strings.EqualFold(a.name, name) }
		return name != strings.ToLower(name) || slices.ContainsFunc(r.add, added)
	})
	return &headerRules{*r}, problems
}

// framing names the fields that say where a message ends, and those of one connection.
func framing(name string) bool {
	return slices.Contains([]string{"content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer"}, strings.ToLower(name))
}

// isFieldName tells whether s is a token (RFC 9110, section 5.6.2).
func isFieldName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// apply changes a header; failed gets the errors of expressions, whose fields stay as they are. A value of
// undefined takes the field away: it must not be one that somebody else has set.
func (r *headerRules) apply(x *message.Exchange, set func(name, value string), del func(name string), failed func(name string, err error)) {
	for _, a := range r.add {
		v, err := a.value.Eval(x)
		switch {
		case err != nil:
			failed(a.name, err)
		case v == nil || v == (expr.Undefined{}):
			del(a.name)
		default:
			set(textproto.CanonicalMIMEHeaderKey(a.name), oneLine(expr.Text(v)))
		}
	}
	for _, name := range r.remove {
		del(name)
	}
}

// apply changes a decoded body: an object, or a list, of which it changes items. It returns what comes of it.
func (r *rules) apply(x *message.Exchange, body any) (any, error) {
	for _, a := range r.add {
		v, err := a.value.Eval(x)
		if err != nil {
			return body, fmt.Errorf("add %s: %w", a.name, err)
		}
		value, err := plain(v)
		if err != nil {
			return body, fmt.Errorf("add %s: %w", a.name, err)
		}
		body = assign(body, a.name, value)
	}
	for _, name := range r.remove {
		body = assign(body, name, expr.Undefined{})
	}
	return body, nil
}

// assign is body[name] = value of JavaScript; undefined removes a member, and leaves a gap in a list, which
// JSON writes as null. A list does not grow by more than one item.
func assign(body any, name string, value any) any {
	_, undefined := value.(expr.Undefined)
	switch b := body.(type) {
	case map[string]any:
		if undefined {
			delete(b, name)
		} else {
			b[name] = value
		}
	case []any:
		i, err := strconv.Atoi(name)
		if undefined {
			value = nil
		}
		switch {
		case err != nil || i < 0 || strconv.Itoa(i) != name:
		case i < len(b):
			b[i] = value
		case i == len(b) && !undefined:
			return append(b, value)
		}
	}
	return body
}

// plain turns the value of an expression into what encoding/json decodes; undefined stays what it is.
func plain(v expr.Value) (any, error) {
	switch v := v.(type) {
	case nil, expr.Undefined:
		return expr.Undefined{}, nil
	case bool, string:
		return v, nil
	}
	text, err := json.Marshal(defined(expr.Data(v)))
	if err != nil {
		return nil, err
	}
	var out any
	err = json.Unmarshal(text, &out)
	return out, err
}

// defined returns a copy of v without what is undefined: members are left out, items are null.
func defined(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			if _, undefined := value.(expr.Undefined); !undefined {
				out[name] = defined(value)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = defined(value)
		}
		return out
	case expr.Undefined:
		return nil
	default:
		return v
	}
}
