package diff_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/cli/diff"
	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/stdio"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/difference"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
)

func newTestApp(t *testing.T) (*app.App, stdio.Buffers) {
	t.Helper()
	io, buffers := stdio.Test(nil)
	return &app.App{
		IO: io, Flags: &app.Global{Progress: app.ProgressQuiet, File: "egk8s.yaml"}, Now: time.Now,
		Getenv: func(string) string { return "" }, Cancel: func(error) {}, Interrupt: func() {},
	}, buffers
}

func TestText(t *testing.T) {
	t.Parallel()
	r := &deployer.DiffResult{
		Against: "cluster",
		Objects: []difference.Object{
			{Kind: "Deployment", Name: "shop", Action: event.Configured, Reason: "changed", Fields: []difference.Field{
				{Path: "spec.replicas", Before: "2", After: "3"}, {Path: "spec.paused", Before: "true"},
			}},
			{Kind: "Secret", Name: "shop-consumers", Action: event.Configured, Reason: "was changed outside egk8s", Fields: []difference.Field{
				{Path: "data[consumers.yml]", Before: difference.Secret, After: difference.Secret},
			}},
			{Kind: "Service", Name: "shop-status", Action: event.Deleted, Reason: "no longer part of the release"},
		},
		Files: []difference.File{
			{Path: "gateway.config.yml", Action: event.Configured, Diff: "@@ -1,2 +1,2 @@\n a: 1\n-b: 2\x1b[31m\n+b: 3\n"},
			{Path: "system.config.yml", Action: event.Created, Secret: true},
			{Path: "key.der", Action: event.Configured},
		},
	}
	want := `~ Deployment/shop   changed
    spec.replicas
      - 2
      + 3
    spec.paused
      - true
~ Secret/shop-consumers   was changed outside egk8s
    data[consumers.yml]
      ~ another secret value
- Service/shop-status   no longer part of the release
~ gateway.config.yml
    @@ -1,2 +1,2 @@
     a: 1
    -b: 2
    +b: 3
+ system.config.yml   secret: its content is not shown
~ key.der   differs; it is no text

3 objects differ, 3 files differ against cluster
`
	if d := cmp.Diff(want, diff.Text(r, theme.Theme{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	none := diff.Text(&deployer.DiffResult{Against: "revision 3"}, theme.Theme{})
	if none != "no difference between the project and revision 3\n" {
		t.Errorf("nothing differs: %q", none)
	}
}

// TestRun: what the project is compared with, and the exit code of a difference.
func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const text = "apiVersion: egk8s.dev/v1alpha1\nkind: Gateway\nmetadata: {name: shop}\n"
	if err := os.WriteFile(filepath.Join(dir, "egk8s.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		against string
		exit    bool
		differs bool
		asked   string
		code    exit.Code
	}{
		{"", false, true, "cluster", exit.OK},
		{"", true, true, "cluster", exit.Differences},
		{"", true, false, "cluster", exit.OK},
		{"3", false, false, "revision 3", exit.OK},
		{dir, true, true, "the folder " + dir, exit.Differences},
		{"no-such-commit", false, false, "", exit.Usage},
	}
	for _, test := range tests {
		t.Run(test.against, func(t *testing.T) {
			t.Parallel()
			a, buffers := newTestApp(t)
			asked := ""
			result := func(name string) (*deployer.DiffResult, error) {
				asked = name
				r := &deployer.DiffResult{Name: "shop", Against: name}
				if test.differs {
					r.Files = []difference.File{{Path: "gateway.config.yml", Action: event.Created}}
				}
				return r, nil
			}
			err := diff.Run(t.Context(), &diff.Options{
				App: a, Output: "json", Against: test.against, ExitCode: test.exit, Timeout: time.Minute,
				Project: func() (*project.Project, error) { return &project.Project{Name: "shop", Dir: dir}, nil },
				Cluster: func(context.Context, deployer.DeployOptions, event.Sink) (*deployer.DiffResult, error) {
					return result("cluster")
				},
				Revision: func(_ context.Context, _ deployer.DeployOptions, n int, _ event.Sink) (*deployer.DiffResult, error) {
					return result("revision " + string(rune('0'+n)))
				},
				Projects: func(_ deployer.RenderOptions, other *project.Project, name string) (*deployer.DiffResult, error) {
					if other.Name != "shop" {
						t.Errorf("compared with %q", other.Name)
					}
					return result(name)
				},
			})
			if exit.Of(err) != test.code || asked != test.asked {
				t.Errorf("asked %q, exit %d (%v); want %q, %d", asked, exit.Of(err), err, test.asked, test.code)
			}
			var doc deployer.DiffResult
			if err := json.Unmarshal(buffers.Out.Bytes(), &doc); err != nil || doc.ExitCode != int(test.code) {
				t.Errorf("document %s: %v", strings.TrimSpace(buffers.Out.String()), err)
			}
		})
	}
}
