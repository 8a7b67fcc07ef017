package message_test

import (
	"encoding/json"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/message"
)

// form makes a request with a form.
func form(text string) *message.Request {
	r := &message.Request{Header: message.NewHeader(2), Body: strings.NewReader(text), ContentLength: int64(len(text))}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// TestForm holds forms to what qs 6.16 and form-urlencoded 4.5 answered with the options of body-parser.
func TestForm(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, parsed, written string }{
		{"a=1&b=2", `{"a":"1","b":"2"}`, "a=1&b=2"},
		{"a=1&a=2", `{"a":["1","2"]}`, "a%5B0%5D=1&a%5B1%5D=2"},
		{"a=1&a=2&a=3", `{"a":["1","2","3"]}`, "a%5B0%5D=1&a%5B1%5D=2&a%5B2%5D=3"},
		{"a[b]=1&a[c]=2", `{"a":{"b":"1","c":"2"}}`, "a%5Bb%5D=1&a%5Bc%5D=2"},
		{"a[]=1&a[]=2", `{"a":["1","2"]}`, "a%5B0%5D=1&a%5B1%5D=2"},
		{"a[]=1", `{"a":["1"]}`, "a%5B0%5D=1"},
		{"a[0]=x&a[2]=z&a[1]=y", `{"a":["x","y","z"]}`, "a%5B0%5D=x&a%5B1%5D=y&a%5B2%5D=z"},
		{"a[5]=x", `{"a":["x"]}`, "a%5B0%5D=x"},
		{"a[500]=x", `{"a":{"500":"x"}}`, "a%5B500%5D=x"},
		{"a[b][c][d]=1", `{"a":{"b":{"c":{"d":"1"}}}}`, "a%5Bb%5D%5Bc%5D%5Bd%5D=1"},
		{"a=1&a[b]=2", `{"a":["1",{"b":"2"}]}`, "a%5B0%5D=1&a%5B1%5D%5Bb%5D=2"},
		{"a[b]=2&a=1", `{"a":[{"b":"2"},"1"]}`, "a%5B0%5D%5Bb%5D=2&a%5B1%5D=1"},
		{"a[b]=2&a=1&a=3", `{"a":{"0":"1","1":"3","b":"2"}}`, "a%5B0%5D=1&a%5B1%5D=3&a%5Bb%5D=2"},
		{"a[b]=1&a[b]=2", `{"a":{"b":["1","2"]}}`, "a%5Bb%5D%5B0%5D=1&a%5Bb%5D%5B1%5D=2"},
		{"a[0]=1&a[b]=2", `{"a":{"0":"1","b":"2"}}`, "a%5B0%5D=1&a%5Bb%5D=2"},
		{"a[b]=1&a[0]=2", `{"a":{"0":"2","b":"1"}}`, "a%5B0%5D=2&a%5Bb%5D=1"},
		{"a[0]=1&a[0]=2", `{"a":[["1","2"]]}`, "a%5B0%5D%5B0%5D=1&a%5B0%5D%5B1%5D=2"},
		{"a[0][x]=1&a[0][y]=2", `{"a":[{"x":"1","y":"2"}]}`, "a%5B0%5D%5Bx%5D=1&a%5B0%5D%5By%5D=2"},
		{"a[][x]=1&a[][y]=2", `{"a":[{"x":"1","y":"2"}]}`, "a%5B0%5D%5Bx%5D=1&a%5B0%5D%5By%5D=2"},
		{"[a]=1", `{"a":"1"}`, "a=1"},
		{"[]=1", `{"0":"1"}`, "0=1"},
		{"a[=1", `{"a":{"[":"1"}}`, "a%5B%5B%5D=1"},
		{"a[b=1", `{"a":{"[b":"1"}}`, "a%5B%5Bb%5D=1"},
		{"a]b=1", `{"a]b":"1"}`, "a%5Db=1"},
		{"a[[b]]=1", `{"a":{"[b]":"1"}}`, "a%5B%5Bb%5D%5D=1"},
		{"a%5Bb%5D=1", `{"a":{"b":"1"}}`, "a%5Bb%5D=1"},
		{"a=%zz+x&b=x+y", `{"a":"%zz x","b":"x y"}`, "a=%25zz+x&b=x+y"},
		{"=1", `{}`, ""},
		{"a", `{"a":""}`, "a="},
		{"a&b=", `{"a":"","b":""}`, "a=&b="},
		{"a=b=c", `{"a":"b=c"}`, "a=b%3Dc"},
		{"a[__proto__]=1&__proto__=2", `{"a":{}}`, ""},
		{"a[01]=1", `{"a":{"01":"1"}}`, "a%5B01%5D=1"},
		{"a[-1]=1", `{"a":{"-1":"1"}}`, "a%5B-1%5D=1"},
		{"a[b]c=1", `{"a":{"b":"1"}}`, "a%5Bb%5D=1"},
		{"é=ü&x=%E2%82%AC", `{"é":"ü","x":"€"}`, "%C3%A9=%C3%BC&x=%E2%82%AC"},
		{"a[][b]=1", `{"a":[{"b":"1"}]}`, "a%5B0%5D%5Bb%5D=1"},
		{"a[]=1&a=2", `{"a":["1","2"]}`, "a%5B0%5D=1&a%5B1%5D=2"},
		{"a=1&a[]=2", `{"a":["1","2"]}`, "a%5B0%5D=1&a%5B1%5D=2"},
		{"a[0]=1&a=2&a[3]=4", `{"a":["1","2","4"]}`, "a%5B0%5D=1&a%5B1%5D=2&a%5B2%5D=4"},
		{"x=!'()~*-_.%20", `{"x":"!'()~*-_. "}`, "x=%21%27%28%29%7E%2A-_.+"},
		{"&&a=1&&", `{"a":"1"}`, "a=1"},
		{"a[b]=", `{"a":{"b":""}}`, "a%5Bb%5D="},
		{"a[1]=x&a[1][y]=2", `{"a":["x",{"y":"2"}]}`, "a%5B0%5D=x&a%5B1%5D%5By%5D=2"},
		{"toString=1&hasOwnProperty=2", `{"toString":"1","hasOwnProperty":"2"}`, "toString=1&hasOwnProperty=2"},
		{"a[]=1&a[1]=2&a[b]=3", `{"a":{"0":"1","1":"2","b":"3"}}`, "a%5B0%5D=1&a%5B1%5D=2&a%5Bb%5D=3"},
		{"a[x]=1&a[]=2", `{"a":{"0":"2","x":"1"}}`, "a%5B0%5D=2&a%5Bx%5D=1"},
		{"a[][]=1&a[][]=2", `{"a":["1","2"]}`, "a%5B0%5D=1&a%5B1%5D=2"},
		{"a[0][]=1&a[0][]=2", `{"a":[["1","2"]]}`, "a%5B0%5D%5B0%5D=1&a%5B0%5D%5B1%5D=2"},
		{"a[b][]=1&a[b][]=2", `{"a":{"b":["1","2"]}}`, "a%5Bb%5D%5B0%5D=1&a%5Bb%5D%5B1%5D=2"},
		{"z=1&y=2&10=a&9=b", `{"9":"b","10":"a","z":"1","y":"2"}`, "9=b&10=a&z=1&y=2"},
	}
	for _, tt := range tests {
		r := form(tt.text)
		if err := r.ParseBody(); err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		parsed, err := json.Marshal(r.Parsed)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.NewReplacer(`\u003c`, "<").Replace(string(parsed)); !sameJSON(t, got, tt.parsed) {
			t.Errorf("%s: parsed %s, want %s", tt.text, got, tt.parsed)
		}
		contentType, written, err := r.EncodeParsed()
		want, wantType := tt.written, "application/x-www-form-urlencoded"
		if tt.parsed == "{}" {
			want, wantType = "{}", "application/json" // EG: nothing tells that it was a form
		}
		if err != nil || string(written) != want || contentType != wantType {
			t.Errorf("%s: written %s as %s, error %v; want %s", tt.text, written, contentType, err, want)
		}
	}
}

// sameJSON compares two texts by what they say.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	normal := func(text string) string {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	return normal(a) == normal(b)
}
