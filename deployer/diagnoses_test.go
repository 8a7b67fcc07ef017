package deployer_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"egk8s.dev/egk8s/deployer"
)

// TestDiagnosesAreDocumented: the page lists exactly the codes, with their words, and no cause has a code that
// is not one of them.
func TestDiagnosesAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "docs", "reference", "diagnoses.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, d := range deployer.Diagnoses() {
		known[d.Code] = true
		if row := fmt.Sprintf("| `%s` | %s | %s |\n", d.Code, d.Meaning, d.Named); !strings.Contains(string(page), row) {
			t.Errorf("docs/reference/diagnoses.md has no row\n%s", row)
		}
	}
	if rows := strings.Count(string(page), "\n| `"); rows != len(known) {
		t.Errorf("the page has %d codes, the program %d", rows, len(known))
	}
	code := regexp.MustCompile(`\bCode: +"([a-z-]+)", Object:|(?:proven|suspect|cause|fail)\w*\([^"\n]*"([a-z]+-[a-z-]+)"|problem\{"([a-z-]+)"`)
	for _, dir := range []string{".", "rollout", "verify"} {
		files, err := fs.Glob(os.DirFS(dir), "*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for _, m := range code.FindAllStringSubmatch(string(text), -1) {
				if found := m[1] + m[2] + m[3]; !known[found] {
					t.Errorf("%s names the cause %q, which is not documented", filepath.Join(dir, name), found)
				}
			}
		}
	}
}
