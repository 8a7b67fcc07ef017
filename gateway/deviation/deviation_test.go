package deviation_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/deviation"
)

var update = flag.Bool("update", false, "write the tables of the page")

const (
	root   = "../../"
	cases  = root + "testdata/conformance/"
	marker = "<!-- What follows is made from gateway/deviation: go test ./gateway/deviation -update -->\n\n"
)

func TestPage(t *testing.T) {
	t.Parallel()
	name := root + deviation.Page
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, tables, ok := strings.Cut(string(page), marker)
	if !ok {
		t.Fatalf("%s has no line %s", name, marker)
	}
	if *update {
		if err := os.WriteFile(name, []byte(head+marker+deviation.Tables()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(deviation.Tables(), tables); diff != "" {
		t.Errorf("%s differs from the list (-list +page); make it again by go test ./gateway/deviation -update:\n%s", deviation.Page, diff)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range deviation.All() {
		if !regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)*$`).MatchString(d.ID) || seen[d.ID] {
			t.Errorf("id %q is taken or no anchor: it has lower-case words and dashes", d.ID)
		}
		seen[d.ID] = true
		if d.There == "" || d.Here == "" || strings.Contains(d.There+d.Here+d.Notice, "\n") {
			t.Errorf("%s: there and here must be said, each in one paragraph", d.ID)
		}
		if found, ok := deviation.Find(d.ID); !ok || found.ID != d.ID || !strings.HasSuffix(found.Link(), "#"+d.ID) {
			t.Errorf("Find(%q) = %v, %v", d.ID, found, ok)
		}
	}
	if _, ok := deviation.Find("no-such"); ok {
		t.Error("Find finds what does not exist")
	}
}

// TestCases holds that the cases that differ and the list belong together. A case of a deviation that
// passes all the same is tagged err500: then any 4xx status with the same text is right.
func TestCases(t *testing.T) {
	t.Parallel()
	differences := readDifferences(t)
	for name, id := range differences {
		d, ok := deviation.Find(id)
		if !ok {
			t.Errorf("differences.json: %s names %q, which is no ID of gateway/deviation", name, id)
		} else if !slices.Contains(d.Cases, name) {
			t.Errorf("deviation %s does not list the case %s", id, name)
		}
	}
	for _, d := range deviation.All() {
		for _, name := range d.Cases {
			text, err := os.ReadFile(filepath.Join(cases, name+".yaml"))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				t.Errorf("deviation %s: there is no case %s", d.ID, name)
			case err != nil:
				t.Fatal(err)
			case differences[name] != d.ID && !strings.Contains(string(text), "- err500\n"):
				t.Errorf("deviation %s: differences.json does not list the case %s under it", d.ID, name)
			}
		}
	}
}

func readDifferences(t *testing.T) map[string]string {
	t.Helper()
	var differences map[string]string
	text, err := os.ReadFile(cases + "differences.json")
	if err == nil {
		err = json.Unmarshal(text, &differences)
	}
	if err != nil {
		t.Fatal(err)
	}
	return differences
}
