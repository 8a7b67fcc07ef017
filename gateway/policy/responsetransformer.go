package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// responseTransformer changes the header of whatever answer follows, and the JSON body of a service's.
type responseTransformer struct {
	headers *headerRules
	body    *rules
	log     *slog.Logger
}

func newResponseTransformer(step config.Step, env *Environment) (Policy, diag.Problems) {
	headers, problems := readHeaderRules(step)
	body, more := readRules(step, "body")
	if problems = append(problems, more...); problems.HasErrors() {
		return nil, problems
	}
	return &responseTransformer{headers: headers, body: body, log: env.Log}, problems
}

// Apply prepares the change; it is made when the answer is sent. An expression that throws then leaves the
// field, or the body, as it is.
func (t *responseTransformer) Apply(ctx context.Context, x *message.Exchange) (message.Verdict, error) {
	if t.headers != nil {
		x.Response.BeforeHead(func(r *message.Response) {
			t.headers.apply(x, r.Header.Set, r.Header.Del, func(name string, err error) {
				t.log.ErrorContext(ctx, "change header of answer", "policy", "response-transformer", "request_id", x.ID(), "header", name, "error", err)
			})
		})
	}
	if t.body != nil {
		x.Response.AddFilter(&bodyFilter{rules: t.body, x: x, failed: func(err error) {
			t.log.ErrorContext(ctx, "answer goes on with its body as it is", "policy", "response-transformer", "request_id", x.ID(), "error", err)
		}})
	}
	return message.Continue, nil
}

// bodyFilter changes the body of one answer.
type bodyFilter struct {
	rules  *rules
	x      *message.Exchange
	failed func(error)
}

// Wants takes JSON of any length and, as its length is known, every other text that may be JSON too: EG
// looks at the content, not at the type. What is compressed or never ends stays as it is.
func (f *bodyFilter) Wants(r *message.Response, _ int) bool {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return false
	}
	name, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case name == "application/json" || strings.HasSuffix(name, "+json"):
		return true
	case name == "text/event-stream" || strings.HasPrefix(name, "application/grpc"):
		return false
	default:
		return r.Header.Has("Content-Length")
	}
}

// TooLarge tells that fields which should be removed are still there.
func (f *bodyFilter) TooLarge() {
	f.failed(fmt.Errorf("it is larger than %d bytes", message.MaxFiltered))
}

// Change applies the rules. A body that is no JSON stays as it is.
func (f *bodyFilter) Change(body []byte) ([]byte, bool) {
	out, err := f.change(body)
	if err != nil {
		if !errors.Is(err, errNotJSON) {
			f.failed(err)
		}
		return nil, false
	}
	return out, true
}

var errNotJSON = errors.New("not JSON")

func (f *bodyFilter) change(body []byte) ([]byte, error) {
	if text := bytes.TrimLeft(body, " \t\r\n"); len(text) > 0 && text[0] == '{' {
		return f.changeObject(body)
	}
	var list []any
	if json.Unmarshal(body, &list) != nil {
		return nil, errNotJSON
	}
	changed, err := f.rules.apply(f.x, list)
	if err != nil {
		return nil, err
	}
	return jsonText(changed)
}

// changeObject changes the outermost members only: the others stay byte for byte, in their order.
func (f *bodyFilter) changeObject(body []byte) ([]byte, error) {
	names, members, err := splitObject(body)
	if err != nil {
		return nil, errNotJSON
	}
	added, err := f.rules.apply(f.x, map[string]any{})
	if err != nil {
		return nil, err
	}
	object, _ := added.(map[string]any)
	for _, a := range f.rules.add {
		value, there := object[a.name]
		if !there {
			delete(members, a.name) // undefined
			continue
		}
		if members[a.name], err = jsonText(value); err != nil {
			return nil, err
		}
		if !slices.Contains(names, a.name) {
			names = append(names, a.name)
		}
	}
	for _, name := range f.rules.remove {
		delete(members, name)
	}
	return joinObject(names, members)
}

// splitObject returns the members of a JSON object, and their names in order.
func splitObject(body []byte) ([]string, map[string]json.RawMessage, error) {
	var names []string
	members := map[string]json.RawMessage{}
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		name, _ := token.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, nil, err
		}
		if _, twice := members[name]; !twice {
			names = append(names, name)
		}
		members[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something follows the object")
	}
	return names, members, nil
}

// joinObject writes those of the names that are members.
func joinObject(names []string, members map[string]json.RawMessage) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, name := range names {
		value, there := members[name]
		if !there {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		key, err := jsonText(name)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
