package manage

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/cmd/internal/report"
)

// nameFormat is -o name: what other commands here take as an argument.
const nameFormat = "name"

func formats(cmd *cobra.Command) { app.Formats(cmd, output.JSON, output.YAML, nameFormat) }

// shape says how things of one kind are shown.
type shape struct {
	kind    string // of the documents, as User
	columns []column
	// id is what -o name prints.
	id func(object) string
}

// column is one of a table.
type column struct {
	title string
	value func(object) string
}

// field is a column with a field of the Admin API's answer.
func field(title, name string) column {
	return column{title, func(o object) string { return textOf(o[name]) }}
}

func textOf(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		if x {
			return "yes"
		}
		return "no"
	case []any:
		parts := make([]string, len(x))
		for i, one := range x {
			parts[i] = textOf(one)
		}
		return strings.Join(parts, ",")
	default:
		return fmt.Sprint(x)
	}
}

// list writes several things: a table, a document of kind KINDList, or names.
func (o *Options) list(s shape, items []object) error {
	out, format := o.App.IO.Out, o.App.Flags.Output
	switch {
	case output.IsDocument(format):
		if items == nil {
			items = []object{}
		}
		return output.Write(out, format, object{"apiVersion": "egk8s.dev/v1alpha1", "kind": s.kind + "List", "items": items})
	case format == nameFormat:
		return o.names(s, items)
	case len(items) == 0:
		fmt.Fprintf(o.App.IO.Err, "No %s.\n", plural(s.kind))
		return nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	titles := make([]string, len(s.columns))
	for i, c := range s.columns {
		titles[i] = c.title
	}
	fmt.Fprintln(w, strings.Join(titles, "\t"))
	for _, item := range items {
		cells := make([]string, len(s.columns))
		for i, c := range s.columns {
			if cells[i] = report.Clean(c.value(item)); cells[i] == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	_ = w.Flush() // into a strings.Builder
	_, err := fmt.Fprint(out, b.String())
	return err
}

// info writes one thing, or several as list does: a line per field for people.
func (o *Options) info(s shape, items []object) error {
	format := o.App.Flags.Output
	switch {
	case format == nameFormat, output.IsDocument(format) && len(items) != 1:
		return o.list(s, items)
	case output.IsDocument(format):
		return output.Write(o.App.IO.Out, format, document(s, items[0]))
	}
	for i, item := range items {
		if i > 0 {
			fmt.Fprintln(o.App.IO.Out)
		}
		if err := o.fields(item); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) fields(item object) error {
	keys := slices.Sorted(maps.Keys(item))
	width := 0
	for _, key := range keys {
		width = max(width, len(key))
	}
	for _, key := range keys {
		text := report.Clean(textOf(item[key]))
		if text == "" {
			text = "-"
		}
		if _, err := fmt.Fprintf(o.App.IO.Out, "%-*s  %s\n", width, report.Clean(key), text); err != nil {
			return err
		}
	}
	return nil
}

func document(s shape, item object) object {
	out := maps.Clone(item)
	out["apiVersion"], out["kind"] = "egk8s.dev/v1alpha1", s.kind
	return out
}

func (o *Options) names(s shape, items []object) error {
	for _, item := range items {
		if _, err := fmt.Fprintln(o.App.IO.Out, report.Clean(s.id(item))); err != nil {
			return err
		}
	}
	return nil
}

// done says what was done to things: a line each, names, or the things as a document.
func (o *Options) done(s shape, verb string, items []object) error {
	switch format := o.App.Flags.Output; {
	case output.IsDocument(format) || format == nameFormat:
		return o.info(s, items)
	}
	for _, item := range items {
		who := report.Clean(s.id(item))
		if len(s.columns) > 0 {
			if name := report.Clean(s.columns[0].value(item)); name != "" && s.kind != kindCredential {
				who = name
			}
		}
		if _, err := fmt.Fprintf(o.App.IO.Out, "%s %s %s\n", strings.ToLower(s.kind), who, verb); err != nil {
			return err
		}
	}
	return nil
}

func plural(kind string) string { return strings.ToLower(kind) + "s" }
