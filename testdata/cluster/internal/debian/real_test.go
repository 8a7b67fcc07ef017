//go:build root

package debian_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"egk8s.dev/egk8s/testdata/cluster/internal/debian"
	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
)

// TestRealPackages downloads the real packages as if nothing were installed and
// runs a program with a library from among them.
func TestRealPackages(t *testing.T) {
	t.Parallel()
	tools, err := debian.Ensure(t.Context(), debian.Options{Cache: layout.Cache{Dir: t.TempDir()}, Out: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	place := debian.Place{Path: tools.Path}
	for name, args := range map[string][]string{"nft": {"--version"}, "runc": {"--version"}, "containerd": {"--version"}} {
		cmd := exec.Command(place.Program(name), args...)
		cmd.Env = []string{"LD_LIBRARY_PATH=" + strings.Join(tools.Libraries, ":")}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		t.Logf("%s: %s", cmd.Path, out)
	}
}
