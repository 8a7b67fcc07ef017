package message_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/message"
)

// recorder is a Sink that keeps what it gets.
type recorder struct {
	status int
	body   strings.Builder
}

func (r *recorder) WriteHead(status int)        { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
func (r *recorder) Flush() error                { return nil }
func (r *recorder) Trailer(string, []string)    {}

func TestIDIsBase62AndStays(t *testing.T) {
	t.Parallel()
	var x message.Exchange
	if x.HasID() {
		t.Error("an id was made before anybody asked")
	}
	first := x.ID()
	if !regexp.MustCompile(`^[0-9A-Za-z]{16,22}$`).MatchString(first) || x.ID() != first {
		t.Errorf("ids %q and %q", first, x.ID())
	}
	x.Reset()
	if x.ID() == first {
		t.Error("the next request has the id of the last one")
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	h := message.NewHeader(2)
	h.Add("x-many", "a")
	h.Add("X-Many", "b")
	h.Add("COOKIE", "a=1")
	h.Add("cookie", "b=2")
	h.Add("Referer", "first")
	h.Add("Referer", "second")
	got := map[string]string{}
	for _, name := range []string{"X-MANY", "Cookie", "referer", "none"} {
		got[name] = h.Joined(name)
	}
	want := map[string]string{"X-MANY": "a, b", "Cookie": "a=1; b=2", "referer": "first", "none": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("joined as node does (-want +got):\n%s", diff)
	}
	h.Del("x-MANY")
	if h.Has("X-Many") || h.Len() != 2 {
		t.Error("a deleted field stays")
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	r := message.Request{URL: "/a?b=1&b=2&c&d=%zz&e=a+b%21&&f=x=y;z"}
	want := message.Query{"b": {"1", "2"}, "c": {""}, "d": {"%zz"}, "e": {"a b!"}, "f": {"x=y;z"}}
	if diff := cmp.Diff(want, r.Query()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.URL = "/a?b=3"
	if got, _ := r.Query().Get("b"); got != "3" {
		t.Errorf("after a rewrite b is %q", got)
	}
}

func TestHostname(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{"a.b:80": "a.b", "a": "a", "": "", "[::1]:80": "[::1]", "[::1]": "[::1]"} {
		if got := (&message.Request{Host: host}).Hostname(); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}

func TestResponseSendsOneHead(t *testing.T) {
	t.Parallel()
	sink := &recorder{}
	r := message.NewResponse(message.NewHeader(1), sink)
	var order string
	r.OnHead(func(*message.Response) { order += "1" })
	r.OnHead(func(r *message.Response) { order += "2"; r.Header.Set("X-Late", "1") })
	r.SendText(401, "Unauthorized")
	r.SendText(500, "again")
	if sink.status != 401 || sink.body.String() != "Unauthorized" || order != "12" || r.Status() != 401 || r.Bytes() != 12 {
		t.Errorf("status %d, body %q, hooks %s, counted %d", sink.status, &sink.body, order, r.Bytes())
	}
}

func TestResponseWithoutBody(t *testing.T) {
	t.Parallel()
	sink := &recorder{}
	r := message.NewResponse(message.NewHeader(1), sink)
	r.SendHTML(204, "ignored")
	if sink.status != 204 || sink.body.Len() > 0 || r.Header.Len() > 0 {
		t.Errorf("status %d, body %q, header %v", sink.status, &sink.body, r.Header.Map())
	}
}

func TestNotFoundEscapes(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"/<script>?q": "/%3Cscript%3E", `/"a"`: "/%22a%22", "/`{}^|\\'": "/%60%7B%7D^|\\&#39;", "/a&b": "/a&amp;b",
		"/%41%zz%%41%": "/%41%25zz%25%41%25", "/a b\x01\xe9": "/a%20b%01%E9",
	} {
		sink := &recorder{}
		x := message.Exchange{Response: message.NewResponse(message.NewHeader(1), sink)}
		x.Request = message.Request{Method: "GET", OriginalURL: url}
		x.NotFound()
		if body := sink.body.String(); sink.status != 404 || !strings.Contains(body, "<pre>Cannot GET "+want+"</pre>") {
			t.Errorf("%s: %d %s", url, sink.status, body)
		}
	}
}

type countingSink struct{ heads *int }

func (s countingSink) WriteHead(int)               { *s.heads++ }
func (s countingSink) Write(p []byte) (int, error) { return len(p), nil }
func (s countingSink) Flush() error                { return nil }
func (s countingSink) Trailer(string, []string)    {}

// TestNoAnswerInsideOfAnAnswer: what is called before the head is sent, an expression perhaps, cannot send one, and
// itself be called for that, without end.
func TestNoAnswerInsideOfAnAnswer(t *testing.T) {
	t.Parallel()
	heads := 0
	r := message.NewResponse(message.NewHeader(4), countingSink{&heads})
	r.BeforeHead(func(r *message.Response) { r.SendText(500, "inside") })
	r.SendHTML(200, "the answer")
	if heads != 1 || r.Status() != 200 || r.Header.Get("Content-Length") != "10" || r.Bytes() != 10 {
		t.Errorf("%d heads, status %d, %d bytes, %v", heads, r.Status(), r.Bytes(), r.Header.Map())
	}
}

// TestPanicBeforeTheHead: whoever recovers can still answer.
func TestPanicBeforeTheHead(t *testing.T) {
	t.Parallel()
	heads := 0
	r := message.NewResponse(message.NewHeader(4), countingSink{&heads})
	r.OnHead(func(*message.Response) { panic("here") })
	func() {
		defer func() { _ = recover() }()
		r.SendText(200, "ok")
	}()
	if r.SendText(500, "failed"); heads != 1 || r.Status() != 500 {
		t.Errorf("%d heads, status %d", heads, r.Status())
	}
}
