//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs every block of README.md that runs egk8s, those that need a cluster too, in order.
func TestReadme(t *testing.T) {
	p := newPlace(t)
	p.dir = t.TempDir()
	text, err := os.ReadFile(root(t, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, block := range regexp.MustCompile("(?ms)^```sh(?: cluster)?\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			words := strings.Fields(line)
			switch {
			case len(words) == 0 || words[0] == "make":
			case words[0] == "cd":
				p.dir = filepath.Join(p.dir, words[1])
			case words[0] == "sed":
				edit := exec.CommandContext(t.Context(), "sh", "-c", line)
				edit.Dir = p.dir
				if out, err := edit.CombinedOutput(); err != nil {
					t.Fatalf("README.md: %s: %v\n%s", line, err, out)
				}
			case words[0] == "egk8s":
				p.egk8s(t, words[1:]...).mustSucceed(t)
				ran++
			default:
				t.Errorf("README.md: this test does not know the command %q", words[0])
			}
		}
	}
	if ran < 10 {
		t.Errorf("%d commands ran, at least 10 were to", ran)
	}
}
