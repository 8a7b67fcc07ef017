package manage

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
)

// lineLimit is what the Admin API takes at most in one request.
const lineLimit = 100 << 10

// properties reads -p key=value.
func properties(pairs []string) (object, error) {
	out := object{}
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, &exit.UsageError{Message: fmt.Sprintf("--property %q: want KEY=VALUE", pair)}
		}
		out[key] = value
	}
	return out, nil
}

// line is one object of standard input.
type line struct {
	number int
	fields object
}

// lines reads standard input as JSON objects, one a line; empty lines count as nothing.
func (o *Options) lines() ([]line, error) {
	if o.App.IO.InTTY {
		fmt.Fprintln(o.App.IO.Err, "One JSON object a line, then ctrl+d:")
	}
	reader := bufio.NewScanner(o.App.IO.In)
	reader.Buffer(make([]byte, 0, 4096), lineLimit)
	var out []line
	for n := 1; reader.Scan(); n++ {
		text := bytes.TrimSpace(reader.Bytes())
		if len(text) == 0 {
			continue
		}
		fields := object{}
		if err := strictJSON(text, &fields); err != nil {
			return nil, &exit.UsageError{
				Message: fmt.Sprintf("standard input, line %d: %v", n, err), Hint: []string{"one JSON object a line"},
			}
		}
		out = append(out, line{n, fields})
	}
	if err := reader.Err(); err != nil {
		return nil, &exit.UsageError{Message: fmt.Sprintf("read standard input: %v", err)}
	}
	if len(out) == 0 {
		return nil, &exit.UsageError{Message: "nothing on standard input", Hint: []string{"one JSON object a line"}}
	}
	return out, nil
}

func strictJSON(text []byte, into *object) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("no JSON object: %w", err)
	}
	if *into == nil {
		return errors.New("no JSON object: null")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// each runs do for every object of standard input, until one fails: the error says where, and how many
// went before.
func (o *Options) each(base object, do func(object) error) error {
	all, err := o.lines()
	if err != nil {
		return err
	}
	for i, one := range all {
		fields := maps.Clone(base)
		maps.Copy(fields, one.fields)
		err := do(fields)
		if err == nil {
			continue
		}
		return &exit.Error{
			Code: exit.Of(err), Err: fmt.Errorf("standard input, line %d: %w", one.number, err),
			Hint: []string{fmt.Sprintf("%s before it went well; the rest was not sent", count(i, "line"))},
		}
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
