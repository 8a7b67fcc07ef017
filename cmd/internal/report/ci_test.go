package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/cmd/internal/report"
	"egk8s.dev/egk8s/cmd/internal/stdio"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/gateway/diag"
)

func TestAnnotationsStayWithinTheLimit(t *testing.T) {
	t.Parallel()
	problems := diag.Problems{{Code: "x", Severity: diag.Error, Message: "without a file: no annotation"}}
	for i := range 12 {
		problems = append(problems, diag.Problem{
			Code: "unknown-key", Severity: diag.Error, Position: diag.Position{File: "a,b:c.yml", Line: i + 1, Column: 3}, Length: 4,
			Message: "100%\nwrong", Label: "not a key", Suggestion: "right",
		})
	}
	lines := strings.Split(strings.TrimSpace(report.Annotations(problems)), "\n")
	if len(lines) != 10 {
		t.Fatalf("%d annotations, want 9 and one that says how many more", len(lines))
	}
	want := `::error file=a%2Cb%3Ac.yml,line=1,col=3,endColumn=7,title=egk8s%3A unknown-key::100%25%0Awrong: not a key (did you mean "right"?)`
	if lines[0] != want {
		t.Errorf("got  %s\nwant %s", lines[0], want)
	}
	if want := "::error title=egk8s::and 3 more problems (the log lists all)"; lines[9] != want {
		t.Errorf("got  %s\nwant %s", lines[9], want)
	}
}

func TestGitHubFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": filepath.Join(dir, "out"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"),
	}
	if err := os.WriteFile(env["GITHUB_OUTPUT"], []byte("before=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	streams, buffers := stdio.Test(env)
	a := &app.App{IO: streams, Flags: &app.Global{}, Getenv: func(k string) string { return env[k] }}
	play(t, "failure", report.NewGitHub(a))
	got, err := os.ReadFile(env["GITHUB_OUTPUT"])
	if err != nil {
		t.Fatal(err)
	}
	want := "before=1\noutcome=failed\nexit-code=6\nname=petstore\nrevision=4\nurl=\nimage=registry.example.com/petstore/gateway:1.4.2\nchanged=true\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	summary, err := os.ReadFile(env["GITHUB_STEP_SUMMARY"])
	if err != nil || !strings.Contains(string(summary), "CrashLoopBackOff") {
		t.Errorf("summary %q, %v", summary, err)
	}
	annotation := "::error file=config/gateway.config.yml,line=14,col=11,endColumn=12,title=egk8s%3A crash-loop::"
	if !strings.HasPrefix(buffers.Err.String(), annotation) {
		t.Errorf("annotation %q, want %q…", buffers.Err, annotation)
	}
}

// TestAWorkloadCannotIssueCommands holds that a hostile log line never stands where GitHub looks for
// commands.
func TestAWorkloadCannotIssueCommands(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{"::error::x", "  ::set-output name=a::b", "a ##[error]x", "\r::error::x", "\x1b[0m::error::x", "::TOKEN::"} {
		e := ending("failure")
		e.Result.Failures[0].Logs = []string{hostile}
		var out strings.Builder
		plain := report.NewPlain(&out, theme.Theme{}, &report.GitHubGroups{Token: func() string { return "SECRET" }}, false)
		plain.Close(e)
		stopped := false
		for line := range strings.Lines(out.String()) {
			switch trimmed := strings.TrimSpace(line); {
			case trimmed == "::stop-commands::SECRET":
				stopped = true
			case trimmed == "::SECRET::":
				stopped = false
			case strings.HasPrefix(trimmed, "::") || (strings.Contains(trimmed, "##[") && !stopped):
				t.Errorf("%q: the runner would take this line for a command: %q", hostile, line)
			}
		}
	}
}

func TestWhichSystem(t *testing.T) {
	t.Parallel()
	tests := []struct{ flag, variable, want string }{
		{"auto", "", report.NoCI},
		{"auto", "CI", report.NoCI},
		{"auto", "GITHUB_ACTIONS", report.GitHub},
		{"auto", "GITLAB_CI", report.GitLab},
		{"none", "GITHUB_ACTIONS", report.NoCI},
		{"gitlab", "GITHUB_ACTIONS", report.GitLab},
	}
	for _, test := range tests {
		a := &app.App{Flags: &app.Global{CI: test.flag}, Getenv: func(k string) string {
			return map[bool]string{true: "true"}[k == test.variable]
		}}
		if got := report.System(a); got != test.want {
			t.Errorf("--ci %s with %s: %s, want %s", test.flag, test.variable, got, test.want)
		}
	}
}

func TestDotenv(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(report.Dotenv(ending("success"))), "\n")
	if len(lines) > 8 {
		t.Errorf("%d keys, GitLab takes as few as 20 and we promise 8", len(lines))
	}
	if want := "EGK8S_OUTCOME=succeeded"; lines[0] != want {
		t.Errorf("got %s, want %s", lines[0], want)
	}
}
