package validate

import (
	"cmp"
	"path/filepath"
	"slices"

	"egk8s.dev/egk8s/gateway/diag"
)

// formatSARIF is the format of -o that code scanning reads.
const formatSARIF = "sarif"

// The parts of a log of the Static Analysis Results Interchange Format 2.1.0 that we fill
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID string `json:"id"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical sarifPlace `json:"physicalLocation"`
	}
	sarifPlace struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
)

// sarif are the problems as one run. A rule is a code of ours.
func sarif(problems diag.Problems, version string) sarifLog {
	run := sarifRun{
		Tool:    sarifTool{sarifDriver{Name: "egk8s", Version: version, Rules: []sarifRule{}}},
		Results: []sarifResult{},
	}
	for _, p := range problems {
		rule := sarifRule{cmp.Or(p.Code, "problem")}
		if !slices.Contains(run.Tool.Driver.Rules, rule) {
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
		}
		run.Results = append(run.Results, sarifOf(p, rule.ID))
	}
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

func sarifOf(p diag.Problem, rule string) sarifResult {
	result := sarifResult{RuleID: rule, Level: "error"}
	if p.Severity == diag.Warning {
		result.Level = "warning"
	}
	for _, text := range []string{p.Message, p.Label, suggested(p), p.Hint} {
		if text != "" && result.Message.Text != "" {
			result.Message.Text += "; "
		}
		result.Message.Text += text
	}
	if p.File == "" {
		return result
	}
	place := sarifPlace{Artifact: sarifArtifact{filepath.ToSlash(p.File)}}
	if p.Line > 0 {
		place.Region = &sarifRegion{StartLine: p.Line, StartColumn: p.Column}
		if p.Column > 0 {
			place.Region.EndColumn = p.Column + max(p.Length, 1)
		}
	}
	result.Locations = []sarifLocation{{place}}
	return result
}

func suggested(p diag.Problem) string {
	if p.Suggestion == "" {
		return ""
	}
	return "did you mean \"" + p.Suggestion + "\"?"
}
