package cloud

import (
	"errors"

	"egk8s.dev/egk8s/gateway/diag"
)

// Rule is evidence for a profile: exactly one fact is named, and Weight says how much it proves.
// 100 is decisive, 60 is good, less is a hint.
type Rule struct {
	Context    string `json:"context,omitempty"`    // regular expression
	Server     string `json:"server,omitempty"`     // regular expression
	Exec       string `json:"exec,omitempty"`       // the kubeconfig's exec command, by base name
	GitVersion string `json:"gitVersion,omitempty"` // regular expression
	ProviderID string `json:"providerID,omitempty"` // regular expression; at least one node
	NodeLabel  string `json:"nodeLabel,omitempty"`  // key or key=value; at least one node
	NodeName   string `json:"nodeName,omitempty"`   // regular expression; at least one node
	APIGroup   string `json:"apiGroup,omitempty"`
	Weight     int    `json:"weight"`
}

// Resolution is the profile to use and why.
type Resolution struct {
	Profile  Profile
	Detected bool     // by facts; false: named by the user, or generic for want of evidence
	Reasons  []string // "node label egk8s.dev/local-cluster", "asked for with --cloud"
	Warning  string   // set when evidence was not clear: which candidates there were, and how to name one
}

// Profiles is a set of merged profiles by name.
type Profiles struct {
	byName map[string]Profile
}

// Builtin reads the profiles that egk8s carries.
func Builtin() (*Profiles, diag.Problems) { return nil, nil }

// Names are the names of all profiles, sorted.
func (p *Profiles) Names() []string { return nil }

// Get returns a profile by name. An unknown name gives an *UnknownError.
func (p *Profiles) Get(name string) (Profile, error) { return Profile{}, errors.New("not built yet") }

// Resolve returns the named profile; an empty name means: detect. Without clear evidence that is
// generic, with a warning, never a guess.
func (p *Profiles) Resolve(name string, facts Facts) (Resolution, error) {
	return Resolution{}, errors.New("not built yet")
}

// UnknownError says that there is no profile of that name (exit 3).
type UnknownError struct {
	Name, Suggestion string
	Known            []string
}

func (e *UnknownError) Error() string { return "no cloud profile " + e.Name }
