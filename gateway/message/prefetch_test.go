package message_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/message"
)

func TestPrefetch(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 70_000)
	tests := []struct {
		name   string
		body   io.Reader
		length int64
		read   bool // ahead
		want   string
		fails  bool
	}{
		{"small", strings.NewReader("abc"), 3, true, "abc", false},
		{"large", strings.NewReader(large), 70_000, false, large, false},
		{"of unknown length", strings.NewReader("abc"), -1, false, "abc", false},
		{"broken", io.MultiReader(strings.NewReader("ab"), failing{}), 3, true, "ab", true},
	}
	for _, tt := range tests {
		ahead := &counter{Reader: tt.body}
		r := message.Request{Body: ahead, ContentLength: tt.length}
		r.Prefetch()
		if (ahead.reads > 0) != tt.read {
			t.Errorf("%s: read %d times", tt.name, ahead.reads)
		}
		got, err := io.ReadAll(r.Body)
		if string(got) != tt.want || errors.Is(err, io.ErrUnexpectedEOF) != tt.fails {
			t.Errorf("%s: %.10s, error %v", tt.name, got, err)
		}
	}
	(&message.Request{}).Prefetch()
}

// counter counts reads.
type counter struct {
	io.Reader
	reads int
}

func (c *counter) Read(p []byte) (int, error) {
	c.reads++
	return c.Reader.Read(p)
}
