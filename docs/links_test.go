// Package docs_test holds the pages together: what they name is there, and every page can be found.
package docs_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = ".."

// files returns the paths of the repository's files with one of the suffixes, from its root, with slashes.
func files(t *testing.T, suffixes ...string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && name != root || d.Name() == "bin" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if slices.Contains(suffixes, filepath.Ext(name)) {
			rel, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			found = append(found, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced finds blocks of code, in which nothing is a link or a heading.
var fenced = regexp.MustCompile("(?ms)^```.*?^```")

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	anchor  = regexp.MustCompile(`<a id="([^"]+)">`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns what "#…" may name on a page: ids, and headings as GitHub spells them.
func anchors(text string) []string {
	var names []string
	text = fenced.ReplaceAllString(text, "")
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		slug := noSlug.ReplaceAllString(strings.ToLower(link.ReplaceAllString(m[1], "")), "")
		names = append(names, strings.ReplaceAll(slug, " ", "-"))
	}
	for _, m := range anchor.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, page := range files(t, ".md") {
		text := read(t, page)
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") {
				continue // elsewhere
			}
			checked++
			name := page
			if target != "" {
				name = path.Join(path.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
				t.Errorf("%s: the link %s leads nowhere", page, m[1])
				continue
			}
			if fragment != "" && !slices.Contains(anchors(read(t, name)), fragment) {
				t.Errorf("%s: %s has no heading or id for the link %s", page, name, m[1])
			}
		}
	}
	if checked < 30 {
		t.Errorf("%d links were found, at least 30 were to", checked)
	}
}

// TestNamedPagesExist looks at pages that code and messages name by their path.
func TestNamedPagesExist(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\bdocs/[a-z0-9/-]+\.md\b`)
	for _, name := range files(t, ".go", ".md", ".yaml", ".yml", ".tmpl") {
		for _, page := range named.FindAllString(read(t, name), -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(page))); err != nil {
				t.Errorf("%s names %s, which is not there", name, page)
			}
		}
	}
}

// TestIndexNamesEveryPage proves that nobody has to guess what there is to read.
func TestIndexNamesEveryPage(t *testing.T) {
	t.Parallel()
	index := read(t, "docs/README.md")
	for _, page := range files(t, ".md") {
		rel, ok := strings.CutPrefix(page, "docs/")
		if ok && rel != "README.md" && !strings.Contains(index, "]("+rel+")") {
			t.Errorf("docs/README.md does not list %s", rel)
		}
	}
}

func TestDecisionsAreNumberedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, page := range files(t, ".md") {
		rel, ok := strings.CutPrefix(page, "docs/adr/")
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(rel, "-")
		if other, taken := seen[number]; taken {
			t.Errorf("%s and %s have one number", other, rel)
		}
		seen[number] = rel
		if title := "# " + strings.TrimLeft(number, "0") + ". "; !strings.HasPrefix(read(t, page), title) {
			t.Errorf("%s does not begin with %q", rel, title)
		}
	}
}
