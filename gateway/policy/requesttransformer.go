package policy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

// requestTransformer changes the header and the body of the request.
type requestTransformer struct {
	headers *headerRules
	body    *rules
}

func newRequestTransformer(step config.Step, _ *Environment) (Policy, diag.Problems) {
	headers, problems := readHeaderRules(step)
	body, more := readRules(step, "body")
	if problems = append(problems, more...); problems.HasErrors() {
		return nil, problems
	}
	return &requestTransformer{headers: headers, body: body}, problems
}

// Apply changes the header first, then the body. An expression that throws ends the request.
//
// EG: a body that is neither JSON nor a form, and no body, counts as an empty object, and what is sent is a
// JSON body: also with GET.
func (t *requestTransformer) Apply(_ context.Context, x *message.Exchange) (message.Verdict, error) {
	if err := t.changeHeader(x); err != nil {
		return message.Continue, err
	}
	if t.body == nil {
		return message.Continue, nil
	}
	r := &x.Request
	if err := r.ParseBody(); err != nil {
		return message.Continue, err
	}
	var err error
	if r.Parsed, err = t.body.apply(x, r.Parsed); err != nil {
		return message.Continue, fmt.Errorf("body: %w", err)
	}
	for _, a := range t.body.add {
		r.NameLast(a.name)
	}
	contentType, text, err := r.EncodeParsed()
	if err != nil {
		return message.Continue, err
	}
	r.SetBody(contentType, text)
	return message.Continue, nil
}

func (t *requestTransformer) changeHeader(x *message.Exchange) error {
	if t.headers == nil {
		return nil
	}
	var failed []error
	set := func(name, value string) {
		if name == "Host" {
			x.Request.Host = value // EG: sent on by proxy steps with changeOrigin: false
			return
		}
		x.Request.Header.Set(name, value)
	}
	t.headers.apply(x, set, x.Request.Header.Del, func(name string, err error) {
		failed = append(failed, fmt.Errorf("header %s: %w", strings.ToLower(name), err))
	})
	return errors.Join(failed...)
}
