package report

import (
	"fmt"
	"strings"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/event"
)

// snapshots fold the event stream of one target or of several.
type snapshots struct {
	all     snapshot.Snapshot
	targets map[string]*snapshot.Snapshot
}

func (s *snapshots) apply(e event.Event) {
	s.all.Apply(e)
	if s.targets == nil {
		s.targets = map[string]*snapshot.Snapshot{}
	}
	if s.targets[e.Target] == nil {
		s.targets[e.Target] = &snapshot.Snapshot{}
	}
	s.targets[e.Target].Apply(e)
}

// of is the picture of one of several targets.
func (s *snapshots) of(target string) snapshot.Snapshot {
	if snap := s.targets[target]; snap != nil {
		return snap.Clone()
	}
	return snapshot.Snapshot{}
}

// junit is one suite for each target.
func (s *snapshots) junit(e Ending) ([]byte, error) {
	if len(e.Targets) == 0 {
		return JUnit(s.all.Clone(), e)
	}
	suites := make([]junitSuite, len(e.Targets))
	for i, t := range e.Targets {
		suite := newSuite(s.of(t.Name), t.Ending)
		suite.Name = t.Name + ": " + suite.Name
		suite.Properties = append([]junitProperty{{"target", t.Name}, {"wave", fmt.Sprint(t.Wave)}}, suite.Properties...)
		for k := range suite.Cases {
			suite.Cases[k].Class = t.Name + "." + suite.Cases[k].Class
			if t.Result.Outcome == deployer.Skipped {
				suite.Cases[k].Skipped = &junitSkipped{Message: strings.Join(t.Result.Warnings, "; ")}
			}
		}
		if t.Result.Outcome == deployer.Skipped {
			suite.Skipped = len(suite.Cases)
		}
		suites[i] = suite
	}
	return encodeSuites(e, suites...)
}

// markdown is a table of what is where, and a section for each target.
func (s *snapshots) markdown(e Ending) string {
	if len(e.Targets) == 0 {
		return Markdown(s.all.Clone(), e)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n| target | wave | outcome | revision | ready | |\n|---|---|---|---|---|---|\n", Cell(sumLine(e, theme.Theme{})))
	for _, t := range e.Targets {
		r := t.Result
		note := orElse(r.URL, r.Reach)
		switch {
		case r.Outcome == deployer.Skipped:
			note = strings.Join(r.Warnings, "; ")
		case t.Err != nil:
			note = t.Err.Error()
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s |\n", Cell(t.Name), t.Wave, r.Outcome, some(r.Revision), fraction(r.Ready, r.Replicas), Cell(note))
	}
	for _, t := range e.Targets {
		if t.Result.Outcome == deployer.Skipped {
			continue
		}
		fmt.Fprintf(&b, "\n#### %s\n\n%s", Cell(t.Name), strings.TrimPrefix(Markdown(s.of(t.Name), t.Ending), "### "))
	}
	return b.String()
}

func some(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func fraction(a, b int) string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", a, b)
}

// allCauses are the causes of every target.
func (e Ending) allCauses() []event.Cause {
	causes := e.Causes()
	for _, t := range e.Targets {
		causes = append(causes, t.Causes()...)
	}
	return causes
}

// sumFacts are the facts of a run with several targets: those of all, and where each is reached.
func sumFacts(e Ending) []pair {
	r := e.Result
	any := false
	for _, t := range e.Targets {
		any = any || t.Result.Outcome != deployer.Unchanged && t.Result.Outcome != deployer.Skipped && changed(t.Result.Changes) > 0
	}
	facts := []pair{{"outcome", string(r.Outcome)}, {"exit-code", fmt.Sprint(r.ExitCode)}, {"name", r.Name}, {"changed", fmt.Sprint(any)}}
	const most = 8 // targets: a report of GitLab holds few variables
	for _, t := range e.Targets[:min(most, len(e.Targets))] {
		facts = append(facts, pair{"outcome-" + t.Name, string(t.Result.Outcome)}, pair{"url-" + t.Name, t.Result.URL})
	}
	return facts
}
