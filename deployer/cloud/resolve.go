package cloud

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// What a detection needs: that much evidence, and that much more than any other profile has.
const (
	enough = 60
	lead   = 20
)

// Resolution is the profile to use and why.
type Resolution struct {
	Profile  Profile
	Detected bool     // by facts; false: named by the user, or generic for want of evidence
	Reasons  []string // "node label egk8s.dev/local-cluster", "asked for"
	Warning  string   // set when evidence was not clear: which candidates there were, and how to name one
}

// Candidate is a profile with the evidence for it.
type Candidate struct {
	Name    string
	Score   int
	Reasons []string
}

// Resolve returns the named profile; an empty name means: detect. Without clear evidence that is
// generic, with a warning, never a guess.
func (p *Profiles) Resolve(name string, facts Facts) (Resolution, error) {
	if name != "" {
		profile, err := p.Get(name)
		return Resolution{Profile: profile, Reasons: []string{"asked for"}}, err
	}
	candidates := p.Detect(facts)
	if len(candidates) > 0 && candidates[0].Score >= enough &&
		(len(candidates) == 1 || candidates[0].Score-candidates[1].Score >= lead) {
		profile, err := p.Get(candidates[0].Name)
		return Resolution{Profile: profile, Detected: true, Reasons: candidates[0].Reasons}, err
	}
	profile, err := p.Get(Generic)
	res := Resolution{Profile: profile, Reasons: []string{"no other profile fits what is known of the cluster"}}
	if len(candidates) > 0 {
		var seen []string
		for _, c := range candidates {
			seen = append(seen, fmt.Sprintf("%s (%s)", c.Name, strings.Join(c.Reasons, ", ")))
		}
		res.Reasons = []string{"the evidence is not clear"}
		res.Warning = fmt.Sprintf("the cloud could be %s, which is not sure enough: using generic; name it with --cloud",
			strings.Join(seen, " or "))
	}
	return res, err
}

// Detect ranks the profiles for which there is any evidence, the strongest first.
func (p *Profiles) Detect(facts Facts) []Candidate {
	var candidates []Candidate
	for _, name := range p.Names() {
		c := Candidate{Name: name}
		for _, rule := range p.byName[name].Detect {
			if reason := rule.match(facts); reason != "" {
				c.Score += rule.Weight
				c.Reasons = append(c.Reasons, reason)
			}
		}
		if c.Score > 0 {
			candidates = append(candidates, c)
		}
	}
	slices.SortStableFunc(candidates, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	return candidates
}
