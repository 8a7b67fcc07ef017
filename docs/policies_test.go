package docs_test

import (
	"slices"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/policy"
)

// TestReferenceNamesEveryPolicy holds the page against what the program knows.
func TestReferenceNamesEveryPolicy(t *testing.T) {
	t.Parallel()
	catalogue, err := policy.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	page := read(t, "docs/reference/gateway.md")
	if len(catalogue.Policies) < 15 {
		t.Errorf("%d policies are known, at least 15 were to", len(catalogue.Policies))
	}
	var names []string
	for name := range catalogue.Policies {
		names = append(names, name)
	}
	for name := range catalogue.Conditions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/reference/gateway.md does not name %s", name)
		}
	}
}
