package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/report/snapshot"
	"egk8s.dev/egk8s/cmd/internal/theme"
	"egk8s.dev/egk8s/deployer/event"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Skipped    int             `xml:"skipped,attr,omitempty"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Skipped *junitSkipped `xml:"skipped,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit returns the run as a test suite: one case per phase, per object and per probe.
func JUnit(s snapshot.Snapshot, e Ending) ([]byte, error) {
	return encodeSuites(e, newSuite(s, e))
}

// newSuite is one run, of one target.
func newSuite(s snapshot.Snapshot, e Ending) junitSuite {
	suite := junitSuite{
		Name: orElse(e.Result.Name, "egk8s"), Time: seconds(e.Result.DurationMs),
		Properties: []junitProperty{
			{"outcome", string(e.Result.Outcome)},
			{"exitCode", fmt.Sprint(e.Result.ExitCode)},
			{"cloud", e.Result.Cloud},
			{"context", e.Result.Context},
			{"namespace", e.Result.Namespace},
			{"revision", fmt.Sprint(e.Result.Revision)},
		},
	}
	if !s.Started.IsZero() {
		suite.Timestamp = s.Started.UTC().Format("2006-01-02T15:04:05")
	}
	suite.Cases = append(phaseCases(s, e), objectCases(s, e)...)
	suite.Cases = append(suite.Cases, probeCases(e)...)
	suite.Tests = len(suite.Cases)
	for _, c := range suite.Cases {
		if c.Failure != nil {
			suite.Failures++
		}
	}
	switch run := (junitCase{Class: suite.Name + ".run", Name: "egk8s " + e.Verb, Time: suite.Time}); {
	case e.Err != nil && suite.Failures == 0:
		run.Failure = failure("error", e)
		suite.Cases = append(suite.Cases, run)
		suite.Tests, suite.Failures = suite.Tests+1, 1
	case suite.Tests == 0:
		suite.Cases, suite.Tests = append(suite.Cases, run), 1
	}
	return suite
}

// encodeSuites writes the suites of a run.
func encodeSuites(e Ending, suites ...junitSuite) ([]byte, error) {
	all := junitSuites{Name: "egk8s " + e.Verb, Time: seconds(e.Result.DurationMs), Suites: suites}
	for _, s := range suites {
		all.Tests, all.Failures = all.Tests+s.Tests, all.Failures+s.Failures
	}
	data, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode junit report: %w", err)
	}
	return append([]byte(xml.Header), append(data, '\n')...), nil
}

func phaseCases(s snapshot.Snapshot, e Ending) []junitCase {
	cases := []junitCase{}
	for _, p := range s.Phases {
		c := junitCase{Class: className(e) + ".phase", Name: string(p.Name), Output: Clean(p.Message)}
		end := p.Ended
		if end.IsZero() {
			end = s.Last
		}
		c.Time = seconds(end.Sub(p.Started).Milliseconds())
		if e.Err != nil && p.State != snapshot.Finished && len(e.Causes()) == 0 {
			c.Failure = failure("phase-"+string(p.Name), e)
		}
		cases = append(cases, c)
	}
	return cases
}

func objectCases(s snapshot.Snapshot, e Ending) []junitCase {
	cases := []junitCase{}
	causes := map[string]event.Cause{}
	for _, c := range e.Causes() {
		if _, found := causes[c.Object]; !found {
			causes[c.Object] = c
		}
	}
	add := func(name, out string, took time.Duration) {
		c := junitCase{Class: className(e) + ".object", Name: name, Time: seconds(took.Milliseconds()), Output: out}
		if cause, found := causes[name]; found {
			c.File = cause.File
			c.Failure = failure(cause.Code, e)
			c.Failure.Message = Clean(cause.Message)
			delete(causes, name)
		}
		cases = append(cases, c)
	}
	for _, o := range s.Objects {
		if o.State != event.Gone {
			words := strings.TrimSpace(string(o.Action) + " " + string(o.State) + " " + o.Message)
			add(o.Name, Clean(words), o.Since.Sub(o.First))
		}
	}
	for _, c := range e.Causes() {
		if _, left := causes[c.Object]; left {
			add(c.Object, "", 0)
		}
	}
	return cases
}

func probeCases(e Ending) []junitCase {
	cases := []junitCase{}
	for _, p := range e.Result.Probes {
		c := junitCase{
			Class: className(e) + ".probe", Name: fmt.Sprintf("%s: %s %s", p.Name, p.Method, p.Path),
			Time: seconds(0), Output: Clean(fmt.Sprintf("status %d %s", p.Status, p.Message)),
		}
		if p.Outcome == "failed" {
			c.Failure = &junitFailure{Type: "probe-failed", Message: Clean(p.Message), Text: c.Output}
		}
		cases = append(cases, c)
	}
	return cases
}

// failure is the block that a person reads too, without colour.
func failure(kind string, e Ending) *junitFailure {
	message := ""
	if e.Err != nil {
		message = Clean(e.Err.Error())
	}
	return &junitFailure{Type: kind, Message: message, Text: "\n" + Text(Block(e, theme.Theme{}))}
}

func className(e Ending) string { return orElse(e.Result.Name, "egk8s") }

func seconds(ms int64) string { return fmt.Sprintf("%.3f", float64(ms)/1000) }
