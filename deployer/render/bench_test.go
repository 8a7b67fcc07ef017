package render_test

import (
	"testing"

	"egk8s.dev/egk8s/deployer/render"
)

func BenchmarkObjects(b *testing.B) {
	in := newTestInput(b, "gke")
	for b.Loop() {
		if _, err := render.Objects(in); err != nil {
			b.Fatal(err)
		}
	}
}
