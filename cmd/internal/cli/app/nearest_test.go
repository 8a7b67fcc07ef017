package app_test

import (
	"testing"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	candidates := []string{"deploy", "destroy", "status", "cloud", "as", "validate"}
	tests := []struct{ word, want string }{
		{"deplyo", "deploy"},
		{"clod", "cloud"},
		{"STATUS", "status"},
		{"valid", "validate"},
		{"xyz", ""},
		{"", ""},
		{"q", ""},
		{"stauts", "status"},
	}
	for _, test := range tests {
		t.Run(test.word, func(t *testing.T) {
			t.Parallel()
			if got := app.Nearest(test.word, candidates); got != test.want {
				t.Errorf("Nearest(%q) = %q, want %q", test.word, got, test.want)
			}
		})
	}
}
