package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestReadme runs the blocks of README.md that need no cluster, in order, in one folder. A block of make
// targets only has to name targets that exist, and what needs the embedded image is left out here: the
// end-to-end tests run every block with the program that `make build` leaves.
func TestReadme(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			line = strings.TrimSpace(line)
			switch target, isMake := strings.CutPrefix(line, "make "); {
			case isMake:
				if !strings.Contains(string(makefile), "\n"+target+":") {
					t.Errorf("README.md: make has no target %q", target)
				}
			case strings.HasPrefix(line, "egk8s render"):
			case strings.HasPrefix(line, "cd "):
				script.WriteString(line + "\n")
			default:
				script.WriteString("exec " + line + "\n! stderr 'error:'\n")
			}
		}
	}
	if !strings.Contains(script.String(), "exec egk8s validate") {
		t.Fatalf("README.md: no block runs egk8s validate; the blocks were not found:\n%s", script.String())
	}
	file := filepath.Join(t.TempDir(), "readme.txtar")
	if err := os.WriteFile(file, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Files: []string{file}})
}
