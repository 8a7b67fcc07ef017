package cloud

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Rule is evidence for a profile: exactly one fact is named, and Weight says how much it proves.
// 100 is decisive, 60 is good, less is a hint. The weights of all rules that hold are added.
type Rule struct {
	Context    string `json:"context,omitempty"`    // regular expression
	User       string `json:"user,omitempty"`       // regular expression
	Server     string `json:"server,omitempty"`     // regular expression
	Exec       string `json:"exec,omitempty"`       // the kubeconfig's exec command, by base name
	GitVersion string `json:"gitVersion,omitempty"` // regular expression
	ProviderID string `json:"providerID,omitempty"` // regular expression; at least one node
	NodeLabel  string `json:"nodeLabel,omitempty"`  // key or key=value; at least one node
	NodeName   string `json:"nodeName,omitempty"`   // regular expression; at least one node
	APIGroup   string `json:"apiGroup,omitempty"`
	Otherwise  bool   `json:"otherwise,omitempty"` // of a variant: no other one fits
	Weight     int    `json:"weight"`
}

func (r Rule) check() error {
	patterns := []string{r.Context, r.User, r.Server, r.GitVersion, r.ProviderID, r.NodeName}
	named := 0
	for _, fact := range append(patterns, r.Exec, r.NodeLabel, r.APIGroup) {
		if fact != "" {
			named++
		}
	}
	if r.Otherwise && named == 0 && r.Weight == 0 {
		return nil
	}
	if named != 1 || r.Otherwise {
		return errors.New("a rule names exactly one fact")
	}
	if r.Weight <= 0 {
		return errors.New("a rule needs a weight above 0")
	}
	for _, pattern := range patterns {
		if _, err := regexp.Compile(pattern); err != nil {
			return fmt.Errorf("%q is not a regular expression", pattern)
		}
	}
	return nil
}

// match returns what in the facts satisfies the rule, or nothing.
func (r Rule) match(f Facts) string {
	switch {
	case r.Context != "":
		return textReason("context", r.Context, f.Context)
	case r.Otherwise:
		return "" // Variants are judged together
	case r.User != "":
		return textReason("user", r.User, f.User)
	case r.Server != "":
		return textReason("server", r.Server, f.Server)
	case r.GitVersion != "":
		return textReason("version", r.GitVersion, f.GitVersion)
	case r.Exec != "":
		if path.Base(strings.ReplaceAll(f.ExecCommand, `\`, "/")) == r.Exec {
			return "login by " + r.Exec
		}
	case r.APIGroup != "":
		if slices.Contains(f.APIGroups, r.APIGroup) {
			return "API group " + r.APIGroup
		}
	default:
		for _, node := range f.Nodes {
			if reason := r.matchNode(node); reason != "" {
				return reason
			}
		}
	}
	return ""
}

func (r Rule) matchNode(node Node) string {
	switch {
	case r.ProviderID != "":
		return textReason("node providerID", r.ProviderID, node.ProviderID)
	case r.NodeName != "":
		return textReason("node name", r.NodeName, node.Name)
	default:
		key, want, exact := strings.Cut(r.NodeLabel, "=")
		if got, ok := node.Labels[key]; ok && (!exact || got == want) {
			return "node label " + r.NodeLabel
		}
		return ""
	}
}

func textReason(fact, pattern, text string) string {
	expression, err := regexp.Compile(pattern)
	if err != nil || text == "" || !expression.MatchString(text) {
		return ""
	}
	return fact + " " + text
}
