package consumer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// coerce turns a scalar of the wrong type into the one wanted where that loses nothing.
func coerce(v any, types []string) any {
	if len(types) != 1 {
		return v
	}
	switch want := types[0]; x := v.(type) {
	case string:
		return coerceText(x, want)
	case float64:
		if want == "string" {
			return strconv.FormatFloat(x, 'f', -1, 64)
		}
	case bool:
		if want == "string" {
			return strconv.FormatBool(x)
		}
	}
	return v
}

func coerceText(text, want string) any {
	switch want {
	case "number", "integer":
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f
		}
	case "boolean":
		if text == "true" || text == "false" {
			return text == "true"
		}
	}
	return text
}

// schemaMessage says every broken rule in the manner of Express Gateway ("data should have
// required property 'name'"), sorted so that one input gives one text.
func schemaMessage(err error) string {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err.Error()
	}
	var lines []string
	leaves(invalid, &lines)
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), ", ")
}

func leaves(e *jsonschema.ValidationError, lines *[]string) {
	for _, cause := range e.Causes {
		leaves(cause, lines)
	}
	if len(e.Causes) > 0 {
		return
	}
	where := strings.Join(append([]string{"data"}, e.InstanceLocation...), ".")
	if required, ok := e.ErrorKind.(*kind.Required); ok {
		for _, name := range required.Missing {
			*lines = append(*lines, fmt.Sprintf("%s should have required property '%s'", where, name))
		}
		return
	}
	*lines = append(*lines, where+": "+e.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
}
