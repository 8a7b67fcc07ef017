package report

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/deployer/event"
)

// The CI systems that get more than lines.
const (
	GitHub = "github"
	GitLab = "gitlab"
	NoCI   = "none"
)

// System returns which CI system to write for: what --ci says, else what the environment shows.
// CI alone names no system.
func System(a *app.App) string {
	if ci := a.Flags.CI; ci != "auto" && ci != "" {
		return ci
	}
	switch {
	case a.Getenv("GITHUB_ACTIONS") == "true":
		return GitHub
	case a.Getenv("GITLAB_CI") == "true":
		return GitLab
	default:
		return NoCI
	}
}

func groups(ci string) Groups {
	switch ci {
	case GitHub:
		return &GitHubGroups{Token: randomToken}
	case GitLab:
		return &GitLabGroups{}
	default:
		return nil
	}
}

// GitHubGroups folds phases with GitHub's workflow commands.
type GitHubGroups struct {
	// Token returns a word that a workload cannot guess.
	Token func() string
	open  event.Phase
}

// Line opens the group of a phase.
func (g *GitHubGroups) Line(w io.Writer, phase event.Phase, now time.Time) {
	if phase == g.open {
		return
	}
	g.End(w, now)
	if phase != event.Done && phase != "" {
		fmt.Fprintf(w, "::group::%s\n", phase)
		g.open = phase
	}
}

// End closes it.
func (g *GitHubGroups) End(w io.Writer, _ time.Time) {
	if g.open != "" {
		fmt.Fprintln(w, "::endgroup::")
		g.open = ""
	}
}

// Foreign keeps the runner from taking words of a workload for commands.
func (g *GitHubGroups) Foreign(w io.Writer, lines []string) {
	token := g.Token()
	fmt.Fprintf(w, "::stop-commands::%s\n", token)
	for _, l := range lines {
		fmt.Fprintln(w, "pod "+strings.TrimLeft(l, " "))
	}
	fmt.Fprintf(w, "::%s::\n", token)
}

// GitLabGroups folds phases with GitLab's section marks.
type GitLabGroups struct{ open event.Phase }

// Line opens the section of a phase.
func (g *GitLabGroups) Line(w io.Writer, phase event.Phase, now time.Time) {
	if phase == g.open {
		return
	}
	g.End(w, now)
	if phase != event.Done && phase != "" {
		fmt.Fprintf(w, "\x1b[0Ksection_start:%d:egk8s_%s[collapsed=true]\r\x1b[0K%s\n", now.Unix(), phase, phase)
		g.open = phase
	}
}

// End closes it.
func (g *GitLabGroups) End(w io.Writer, now time.Time) {
	if g.open != "" {
		fmt.Fprintf(w, "\x1b[0Ksection_end:%d:egk8s_%s\r\x1b[0K\n", now.Unix(), g.open)
		g.open = ""
	}
}

// Foreign marks words of a workload.
func (g *GitLabGroups) Foreign(w io.Writer, lines []string) {
	for _, l := range lines {
		fmt.Fprintln(w, "pod "+strings.TrimLeft(l, " "))
	}
}

func randomToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
