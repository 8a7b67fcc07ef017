package message_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/message"
)

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func deflated(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func TestParseBody(t *testing.T) {
	t.Parallel()
	const json, form = "application/json", "application/x-www-form-urlencoded"
	object := func(value any) map[string]any { return map[string]any{"a": value} }
	large := strings.Repeat("x", message.MaxBody)
	tests := []struct {
		name, contentType, encoding, body string
		want                              any
		status                            int
	}{
		{name: "JSON", contentType: json, body: `{"a":1}`, want: object(1.0)},
		{name: "its type in capitals, with parameters", contentType: "Application/JSON; Charset=UTF-8", body: `{"a":1}`, want: object(1.0)},
		{name: "a list", contentType: json, body: ` [1]`, want: []any{1.0}},
		{name: "a byte order mark", contentType: json, body: "\ufeff{\"a\":1}", want: object(1.0)},
		{name: "UTF-16", contentType: json + "; charset=utf-16", body: "\xff\xfe{\x00\"\x00a\x00\"\x00:\x001\x00}\x00", want: object(1.0)},
		{name: "UTF-16, high byte first", contentType: json + "; charset=utf-16be", body: "\x00{\x00\"\x00a\x00\"\x00:\x001\x00}", want: object(1.0)},
		{name: "gzip", contentType: json, encoding: "gzip", body: gzipped(`{"a":1}`), want: object(1.0)},
		{name: "deflate", contentType: json, encoding: "Deflate", body: deflated(`{"a":1}`), want: object(1.0)},
		{name: "identity", contentType: json, encoding: "identity", body: `{"a":1}`, want: object(1.0)},
		{name: "a form", contentType: form, body: `a=1`, want: object("1")},
		{name: "a form in gzip", contentType: form, encoding: "gzip", body: gzipped(`a=1`), want: object("1")},
		{name: "another type", contentType: "text/plain", body: `{"a":1}`, want: map[string]any{}},
		{name: "a type that only looks like JSON", contentType: "application/vnd.api+json", body: `{"a":1}`, want: map[string]any{}},
		{name: "no type", body: `{"a":1}`, want: map[string]any{}},
		{name: "no body", contentType: json, want: map[string]any{}},
		{name: "as large as can be", contentType: json, body: `{"a":"` + large[:message.MaxBody-8] + `"}`, want: object(large[:message.MaxBody-8])},

		{name: "broken JSON", contentType: json, body: `{x`, status: 400},
		{name: "a text", contentType: json, body: `"a"`, status: 400},
		{name: "blanks", contentType: json, body: ` `, status: 400},
		{name: "something behind it", contentType: json, body: `{} {}`, status: 400},
		{name: "too deep", contentType: json, body: strings.Repeat("[", 513) + strings.Repeat("]", 513), status: 400},
		{name: "a form too deep", contentType: form, body: "a" + strings.Repeat("[b]", 33) + "=1", status: 400},
		{name: "no gzip", contentType: json, encoding: "gzip", body: `{"a":1}`, status: 400},
		{name: "half a gzip", contentType: json, encoding: "gzip", body: gzipped(`{"a":1}`)[:20], status: 400},
		{name: "too large", contentType: json, body: large + "x", status: 413},
		{name: "a bomb", contentType: json, encoding: "gzip", body: gzipped(strings.Repeat(large, 50)), status: 413},
		{name: "too many fields", contentType: form, body: strings.Repeat("&", 1000), status: 413},
		{name: "brotli", contentType: json, encoding: "br", body: `{"a":1}`, status: 415},
		{name: "another charset", contentType: json + "; charset=latin1", body: `{"a":1}`, status: 415},
		{name: "a form in another charset", contentType: form + "; charset=utf-16", body: `a=1`, status: 415},
	}
	for _, tt := range tests {
		for _, length := range []int64{int64(len(tt.body)), -1} {
			r := message.Request{Header: message.NewHeader(2), ContentLength: length}
			if tt.body != "" {
				r.Body = strings.NewReader(tt.body)
			}
			if tt.contentType != "" {
				r.Header.Set("Content-Type", tt.contentType)
			}
			if tt.encoding != "" {
				r.Header.Set("Content-Encoding", tt.encoding)
			}
			err := r.ParseBody()
			var status *message.StatusError
			if errors.As(err, &status); tt.status != 0 {
				if status == nil || status.Status != tt.status {
					t.Errorf("%s: error %v, want status %d", tt.name, err, tt.status)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			if diff := cmp.Diff(tt.want, r.Parsed); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
			if r.Body == nil {
				continue
			}
			if sent, err := io.ReadAll(r.Body); err != nil || string(sent) != tt.body {
				t.Errorf("%s: the body is no longer what it was: %d bytes, error %v", tt.name, len(sent), err)
			}
		}
	}
}

// limited is a body that the engine cuts.
type limited struct{}

func (limited) Read([]byte) (int, error) {
	return 0, &message.StatusError{Status: 408, Text: "Request Timeout", Err: io.ErrNoProgress}
}

func TestParseBodyKeepsTheEnginesStatus(t *testing.T) {
	t.Parallel()
	r := message.Request{Header: message.NewHeader(1), Body: limited{}, ContentLength: -1}
	r.Header.Set("Content-Type", "application/json")
	if err := r.ParseBody(); message.BodyStatus(err) != 408 {
		t.Errorf("error %v, want the engine's status 408", err)
	}
}

// failing is a body that breaks off.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestParseBodyBreaksOff(t *testing.T) {
	t.Parallel()
	r := message.Request{Header: message.NewHeader(1), Body: failing{}, ContentLength: 5}
	r.Header.Set("Content-Type", "application/json")
	var status *message.StatusError
	if err := r.ParseBody(); !errors.As(err, &status) || status.Status != 400 {
		t.Errorf("error %v, want status 400", err)
	}
}

func TestParseBodyReadsOnce(t *testing.T) {
	t.Parallel()
	r := form("a=1")
	if err := r.ParseBody(); err != nil {
		t.Fatal(err)
	}
	r.Parsed.(map[string]any)["a"] = "2" // as an expression does
	if err := r.ParseBody(); err != nil {
		t.Fatal(err)
	}
	if _, text, err := r.EncodeParsed(); string(text) != "a=2" || err != nil {
		t.Errorf("written %s, error %v", text, err)
	}
}

func TestEncodeParsedKeepsOrder(t *testing.T) {
	t.Parallel()
	const text = `{"z":{"y":[1,"<&>",null], "x":true},"\u0061": 12345678901234567890 ,"m":0.1,"e":{"b":1,"a":{}},"e2":[{}],"9":":,"}`
	r := message.Request{Header: message.NewHeader(1), Body: strings.NewReader(text), ContentLength: int64(len(text))}
	r.Header.Set("Content-Type", "application/json")
	if err := r.ParseBody(); err != nil {
		t.Fatal(err)
	}
	r.Parsed.(map[string]any)["b"] = "new"
	r.Parsed.(map[string]any)["e"].(map[string]any)["a"] = 1e21 // as an expression may
	delete(r.Parsed.(map[string]any), "m")
	contentType, got, err := r.EncodeParsed()
	want := `{"9":":,","z":{"y":[1,"<&>",null], "x":true},"a":12345678901234567890,"e":{"a":1e+21,"b":1},"e2":[{}],"b":"new"}`
	if string(got) != want || contentType != "application/json" || err != nil {
		t.Errorf("%s %s, error %v, want %s", contentType, got, err, want)
	}
}

func TestSetBody(t *testing.T) {
	t.Parallel()
	r := form("a=1")
	r.Header.Set("Content-Encoding", "gzip")
	r.SetBody("application/json", []byte(`{}`))
	text, err := io.ReadAll(r.Body)
	if string(text) != "{}" || err != nil || r.ContentLength != 2 || r.Header.Get("Content-Type") != "application/json" ||
		r.Header.Get("Content-Length") != "2" || r.Header.Has("Content-Encoding") {
		t.Errorf("body %q, error %v, length %d, header %v", text, err, r.ContentLength, r.Header.Map())
	}
}

func FuzzParseBody(f *testing.F) {
	f.Add(true, `{"a":[1,{"b":"\"c"}]}`)
	f.Add(false, "a[b][]=1&a[b][3]=2&a=3&[]=4&x[")
	f.Fuzz(func(t *testing.T, isJSON bool, text string) {
		r := form(text)
		if isJSON {
			r.Header.Set("Content-Type", "application/json")
		}
		if r.ParseBody() != nil {
			return
		}
		contentType, written, err := r.EncodeParsed()
		if err != nil {
			t.Fatal(err)
		}
		again := form(string(written))
		again.Header.Set("Content-Type", contentType)
		if err := again.ParseBody(); err != nil {
			t.Fatalf("%q was written as %q: %v", text, written, err)
		}
		_, twice, err := again.EncodeParsed()
		if isJSON && string(twice) != string(written) || err != nil {
			t.Fatalf("%q, then %q, error %v", written, twice, err)
		}
	})
}
