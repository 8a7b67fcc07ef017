package message_test

import (
	"testing"

	"egk8s.dev/egk8s/gateway/message"
)

func TestAccepts(t *testing.T) {
	t.Parallel()
	const html, json = "text/html", "application/json"
	tests := map[string]string{
		"":                                   html,
		"*/*":                                html,
		"application/json":                   json,
		"APPLICATION/JSON":                   json,
		"application/json, */*":              json,
		"text/*;q=0.5, application/json":     json,
		"application/json;q=0.5, text/html":  html,
		"application/json;q=0, */*":          html,
		"text/html;q=0, */*;q=0.1":           json,
		"text/plain":                         "",
		"text/html;q=0":                      "",
		"nonsense":                           "",
		"application/*, text/html":           html, // as good, and more exact
		"application/json, text/html":        json, // as good, and first
		"application/json;version=2":         "",
		"application/json;q=1;ext=2":         json,
		"text/html;level=1, application/*":   json,
		"application/json;q=x":               "",
		"*/*;q=0.1, application/json;q=0.05": html,
	}
	for accept, want := range tests {
		r := message.Request{Header: message.NewHeader(1)}
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		if got := r.Accepts(html, json); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}
