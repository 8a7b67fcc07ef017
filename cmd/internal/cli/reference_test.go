package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/reference"
)

var update = flag.Bool("update", false, "write docs/reference/cli.md anew")

// TestReference holds docs/reference/cli.md to the commands that there are.
func TestReference(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(nil)
	var got bytes.Buffer
	if err := reference.Write(&got, NewRoot(a)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "..", "docs", "reference", "cli.md")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("docs/reference/cli.md is not what the commands say (run with -update) (-page +commands):\n%s", diff)
	}
}
