package image

import (
	"errors"
	"net/http"
	"testing"
)

type answering struct{}

func (answering) RoundTrip(*http.Request) (*http.Response, error) { return &http.Response{}, nil }

func TestGuardKeepsPlainHTTPOnThisMachine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url      string
		insecure bool
		refused  bool
	}{
		{"http://127.0.0.1:5000/v2/", false, false},
		{"http://[::1]:5000/v2/", false, false},
		{"http://localhost:5000/v2/", false, false},
		{"https://registry.example.com/v2/", false, false},
		{"http://10.0.0.5:5000/v2/", false, true},
		{"http://10.0.0.5:5000/v2/", true, false},
		{"http://localhost.example.com/v2/", false, true},
	}
	for _, tt := range tests {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := (&guard{next: answering{}, insecure: tt.insecure}).RoundTrip(r)
		if answer != nil && answer.Body != nil {
			_ = answer.Body.Close()
		}
		if refused := errors.Is(err, errPlainHTTP); refused != tt.refused {
			t.Errorf("%+v: %v", tt, err)
		}
	}
	var typed *Error
	if err := pushError("r", "10.0.0.5:5000", errPlainHTTP); !errors.As(err, &typed) || typed.Hint == "" {
		t.Error(err)
	}
}
