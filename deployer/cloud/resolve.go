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

	Infrastructure string   // profile that says how traffic comes in; empty: none was found
	Distribution   string   // profile of what runs Kubernetes
	Variants       []string // kinds of it, in the order in which they were laid over it
}

// Label is the cloud as people and --cloud write it: gke/autopilot, triton/k3s.
func (r Resolution) Label() string {
	parts := []string{cmp.Or(r.Infrastructure, r.Distribution)}
	if r.Distribution != parts[0] && r.Distribution != Generic {
		parts = append(parts, r.Distribution)
	}
	return strings.Join(append(parts, r.Variants...), "/")
}

// Candidate is a profile with the evidence for it.
type Candidate struct {
	Name    string   `json:"name"`
	Layer   Layer    `json:"layer"`
	Score   int      `json:"score"`
	Reasons []string `json:"reasons"`
}

// Resolve returns the profile for a cluster. wanted is NAME, NAME/VARIANT or INFRASTRUCTURE/DISTRIBUTION, and more variants
// after more slashes; what it does not say is detected. Without clear evidence that is generic, with a warning, never a guess.
func (p *Profiles) Resolve(wanted string, facts Facts) (Resolution, error) {
	pins, err := p.parse(wanted)
	if err != nil {
		return Resolution{}, err
	}
	candidates := p.Detect(facts)
	infrastructure := p.choose(candidates, Infrastructure, pins)
	distribution := p.choose(candidates, Distribution, pins)
	if infrastructure.Layer == Both && infrastructure.Name != distribution.Name {
		infrastructure = Candidate{} // it is no cloud of its own where another distribution runs
	}
	if distribution.Layer == Both && infrastructure.Name != distribution.Name {
		infrastructure = distribution
	}
	res := Resolution{Infrastructure: infrastructure.Name, Distribution: cmp.Or(distribution.Name, Generic)}
	for _, c := range []Candidate{infrastructure, distribution} {
		for _, reason := range c.Reasons {
			if !slices.Contains(res.Reasons, reason) {
				res.Reasons = append(res.Reasons, reason)
			}
		}
	}
	res.Detected = wanted == "" && len(res.Reasons) > 0
	if len(res.Reasons) == 0 {
		res.Reasons = []string{"no other profile fits what is known of the cluster"}
	}
	if doubt := doubtful(candidates, pins, res); len(doubt) > 0 {
		res.Warning = fmt.Sprintf("the cloud could be %s, which is not sure enough: using %s; name it with --cloud",
			strings.Join(doubt, " or "), res.Label())
		if !res.Detected {
			res.Reasons = []string{"the evidence is not clear"}
		}
	}
	res.Profile, err = p.build(&res, pins, facts)
	return res, err
}

// choose returns the profile of one axis: the named one, else the one with clear evidence, else nothing.
func (p *Profiles) choose(candidates []Candidate, axis Layer, pins pins) Candidate {
	for _, name := range pins.profiles {
		switch layer := p.byName[name].Layer; {
		case layer == Base:
			return Candidate{Reasons: []string{"asked for"}}
		case layer.has(axis):
			return Candidate{Name: name, Layer: layer, Reasons: []string{"asked for"}}
		}
	}
	best, found := clear(onAxis(candidates, axis))
	// A named distribution that is a cloud of its own leaves no room for another one.
	if !found || (len(pins.profiles) > 0 && best.Layer == Both) {
		return Candidate{}
	}
	return best
}

func onAxis(candidates []Candidate, axis Layer) []Candidate {
	var out []Candidate
	for _, c := range candidates {
		if c.Layer.has(axis) {
			out = append(out, c)
		}
	}
	return out
}

// clear returns the first of ranked candidates if its evidence is enough and clearly more than the next one's.
func clear(ranked []Candidate) (Candidate, bool) {
	if len(ranked) == 0 || ranked[0].Score < enough || (len(ranked) > 1 && ranked[0].Score-ranked[1].Score < lead) {
		return Candidate{}, false
	}
	return ranked[0], true
}

// doubtful are the candidates to tell of: those that tie on an axis, and where nothing was found all.
func doubtful(candidates []Candidate, pins pins, res Resolution) []string {
	if len(pins.profiles) > 0 {
		return nil
	}
	var out []string
	none := res.Infrastructure == "" && res.Distribution == Generic
	for _, c := range candidates {
		if used := c.Name == res.Infrastructure || c.Name == res.Distribution; used {
			continue
		}
		if none || (tied(c, onAxis(candidates, Infrastructure)) && res.Infrastructure == "" && res.Distribution == Generic) {
			out = append(out, fmt.Sprintf("%s (%s)", c.Name, strings.Join(c.Reasons, ", ")))
		}
	}
	return out
}

func tied(c Candidate, ranked []Candidate) bool {
	return len(ranked) > 0 && c.Score >= enough && ranked[0].Score-c.Score < lead
}

// Detect ranks the profiles for which there is any evidence, the strongest first. Evidence for a profile that another one
// extends counts for that one, too, once it has evidence of its own.
func (p *Profiles) Detect(facts Facts) []Candidate {
	var candidates []Candidate
	for _, name := range p.Names() {
		c := Candidate{Name: name, Layer: p.byName[name].Layer}
		c.add(p.byName[name].Detect, facts)
		if c.Score == 0 {
			continue
		}
		for base := p.files[name].head.Spec.Extends; base != "" && base != name && p.files[base] != nil; base = p.files[base].head.Spec.Extends {
			c.add(p.byName[base].Detect, facts)
			name = base
		}
		candidates = append(candidates, c)
	}
	slices.SortStableFunc(candidates, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	return candidates
}

func (c *Candidate) add(rules []Rule, facts Facts) {
	for _, rule := range rules {
		if reason := rule.match(facts); reason != "" {
			c.Score += rule.Weight
			c.Reasons = append(c.Reasons, reason)
		}
	}
}
