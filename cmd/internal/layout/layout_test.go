// Package layout_test proves the import rules of ADR 1 over what is linked in the end, where a
// linter sees only what one file imports.
package layout_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestWhatEachRoomLinks(t *testing.T) {
	t.Parallel()
	rules := []struct {
		room  string
		never []string
	}{
		{
			room: "egk8s.dev/egk8s/gateway/...",
			never: []string{
				"egk8s.dev/egk8s/deployer", "egk8s.dev/egk8s/cmd", "k8s.io/", "sigs.k8s.io/", "helm.sh/",
				"github.com/spf13/cobra", "github.com/charmbracelet/",
			},
		},
		{
			room: "egk8s.dev/egk8s/cmd/egk8s-gateway",
			never: []string{
				"egk8s.dev/egk8s/deployer", "k8s.io/", "sigs.k8s.io/", "helm.sh/",
				"github.com/spf13/cobra", "github.com/charmbracelet/",
			},
		},
		{
			room:  "egk8s.dev/egk8s/deployer/...",
			never: []string{"egk8s.dev/egk8s/cmd", "github.com/charmbracelet/bubbletea"},
		},
	}
	for _, rule := range rules {
		t.Run(rule.room, func(t *testing.T) {
			t.Parallel()
			for _, pkg := range goList(t, "-deps", rule.room) {
				for _, never := range rule.never {
					if strings.HasPrefix(pkg, never) {
						t.Errorf("%s links %s, which it must not know", rule.room, pkg)
					}
				}
			}
		})
	}
}

// TestWhoImports proves that a library enters through its one room only.
func TestWhoImports(t *testing.T) {
	t.Parallel()
	rules := []struct{ library, rooms string }{
		{"github.com/charmbracelet/bubbletea", "egk8s.dev/egk8s/cmd/internal/report/tui"},
		{"github.com/spf13/cobra", "egk8s.dev/egk8s/cmd/"},
		{"helm.sh/helm/v3", "egk8s.dev/egk8s/deployer/render egk8s.dev/egk8s/deployer/release"},
		{"k8s.io/client-go/kubernetes", "egk8s.dev/egk8s/deployer/cluster"},
		{"k8s.io/client-go/dynamic", "egk8s.dev/egk8s/deployer/cluster"},
		{"k8s.io/client-go/rest", "egk8s.dev/egk8s/deployer/cluster"},
	}
	lines := goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "egk8s.dev/egk8s/...")
	for _, line := range lines {
		fields := strings.Fields(line)
		for _, rule := range rules {
			if !importsAny(fields[1:], rule.library) || insideAny(fields[0], strings.Fields(rule.rooms)) {
				continue
			}
			t.Errorf("%s imports %s; only %s may", fields[0], rule.library, rule.rooms)
		}
	}
}

func importsAny(imports []string, library string) bool {
	for _, i := range imports {
		if i == library || strings.HasPrefix(i, library+"/") {
			return true
		}
	}
	return false
}

func insideAny(pkg string, rooms []string) bool {
	for _, room := range rooms {
		if strings.HasPrefix(pkg, room) {
			return true
		}
	}
	return false
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
