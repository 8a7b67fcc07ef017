package message_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/message"
)

// sink is a Sink that notes the order of what it gets.
type sink struct{ events []string }

func (s *sink) WriteHead(status int) {
	s.events = append(s.events, "head "+string(rune('0'+status/100)))
}

func (s *sink) Write(p []byte) (int, error) {
	if len(p) > 40 {
		p = append(append([]byte{}, p[:10]...), "…"...)
	}
	s.events = append(s.events, "write "+string(p))
	return len(p), nil
}
func (s *sink) Flush() error                    { s.events = append(s.events, "flush"); return nil }
func (s *sink) Trailer(name string, _ []string) { s.events = append(s.events, "trailer "+name) }

// wrapper puts a name around a body.
type wrapper struct {
	name     string
	wants    bool
	changes  bool
	tooLarge *int
}

func (w wrapper) Wants(*message.Response, int) bool { return w.wants }
func (w wrapper) TooLarge()                         { *w.tooLarge++ }
func (w wrapper) Change(body []byte) ([]byte, bool) {
	return []byte(w.name + "(" + string(body) + ")"), w.changes
}

func TestFilter(t *testing.T) {
	t.Parallel()
	large := "{" + strings.Repeat(" ", message.MaxFiltered)
	a := wrapper{name: "a", wants: true, changes: true}
	b := wrapper{name: "b", wants: true, changes: true}
	idle := wrapper{name: "idle", changes: true}
	same := wrapper{name: "same", wants: true}
	tests := []struct {
		name     string
		filters  []wrapper
		own      bool // the gateway's own answer
		status   int
		length   string
		parts    []string
		trailer  bool
		want     []string
		wantSize string // Content-Length
	}{
		{"whole", []wrapper{a}, false, 200, "8", []string{`{"a":1}`}, false, []string{"head 2", `write a({"a":1})`}, "10"},
		{"in parts", []wrapper{a}, false, 200, "", []string{" ", `{"a"`, `:1}`}, false, []string{"head 2", `write a( {"a":1})`}, "11"},
		{"the last filter comes first", []wrapper{a, b}, false, 200, "", []string{`{}`}, false, []string{"head 2", `write a(b({}))`}, "8"},
		{"not wanted", []wrapper{idle}, false, 200, "2", []string{`{`, `}`}, false, []string{"head 2", "write {", "flush", "write }", "flush"}, "2"},
		{"no JSON", []wrapper{a}, false, 200, "", []string{`no`, `no`}, false, []string{"head 2", "write no", "flush", "write no", "flush"}, ""},
		{"not changed", []wrapper{same}, false, 200, "", []string{`{`, `}`}, true, []string{"head 2", "write {}", "trailer X"}, ""},
		{"changed, with a trailer", []wrapper{a}, false, 200, "", []string{`{}`}, true, []string{"head 2", "write a({})"}, "5"},
		{"the gateway's own", []wrapper{a}, true, 200, "2", []string{`{}`}, false, []string{"head 2", "write {}", "flush"}, "2"},
		{"no content", []wrapper{a}, false, 304, "2", nil, false, []string{"head 3"}, "2"},
		{"nothing came", []wrapper{same}, false, 200, "7", nil, false, []string{"head 2", "write "}, "7"},
		{"too large", []wrapper{a}, false, 200, "", []string{large, "}"}, false, []string{"head 2", "write {         …", "flush", "write }", "flush"}, ""},
		{"too large, as it says", []wrapper{a}, false, 200, "1048577", []string{"{"}, false, []string{"head 2", "write {", "flush"}, "1048577"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var tooLarge int
			out := &sink{}
			r := message.NewResponse(message.NewHeader(1), out)
			for _, f := range tt.filters {
				f.tooLarge = &tooLarge
				r.AddFilter(f)
			}
			if !tt.own {
				r.FromUpstream()
			}
			if tt.length != "" {
				r.Header.Set("Content-Length", tt.length)
			}
			r.WriteHead(tt.status)
			if !r.Started() || r.Status() != tt.status {
				t.Errorf("started %v with %d", r.Started(), r.Status())
			}
			for _, part := range tt.parts {
				if n, err := r.Write([]byte(part)); err != nil || n > len(part) {
					t.Fatal(n, err)
				}
				if err := r.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if tt.trailer {
				r.Trailer("X", []string{"1"})
			}
			r.Finish()
			r.Finish()
			if diff := cmp.Diff(tt.want, out.events); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := r.Header.Get("Content-Length"); got != tt.wantSize {
				t.Errorf("Content-Length %q, want %q", got, tt.wantSize)
			}
			if (tooLarge > 0) != strings.HasPrefix(tt.name, "too large") {
				t.Errorf("told %d times that it is too large", tooLarge)
			}
		})
	}
}

func TestBeforeHead(t *testing.T) {
	t.Parallel()
	r := message.NewResponse(message.NewHeader(1), &sink{})
	var order string
	r.OnHead(func(*message.Response) { order += "1" })
	r.BeforeHead(func(*message.Response) { order += "2" })
	r.BeforeHead(func(*message.Response) { order += "3" })
	r.SendText(200, "")
	if order != "321" {
		t.Errorf("called as %s", order)
	}
}
