package cloud

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/diag"
)

// pins are what the user named.
type pins struct {
	profiles []string // at most one per axis
	variants []string
}

// parse reads NAME/NAME/VARIANT.
func (p *Profiles) parse(wanted string) (pins, error) {
	var out pins
	if wanted == "" {
		return out, nil
	}
	for i, name := range strings.Split(wanted, "/") {
		known := p.variantsOf(out.profiles)
		profile, isProfile := p.byName[name]
		switch {
		case i > 0 && slices.Contains(known, name):
			out.variants = append(out.variants, name)
		case isProfile && (i == 0 || (len(out.profiles) == 1 && p.combine(out.profiles[0], profile))):
			out.profiles = append(out.profiles, name)
		case i == 0:
			return out, &UnknownError{Name: name, Suggestion: diag.Suggest(name, p.Names()), Known: p.Names()}
		default:
			return out, &UnknownError{Name: wanted, Suggestion: suggest(wanted, name, known), Known: append(known, p.partners(out.profiles[0])...)}
		}
	}
	return out, nil
}

// combine tells whether a profile is the other half of a named one.
func (p *Profiles) combine(first string, second Profile) bool {
	one := p.byName[first].Layer
	return (one == Infrastructure && (second.Layer == Distribution || second.Layer == Base)) ||
		(one == Distribution && second.Layer == Infrastructure)
}

func (p *Profiles) partners(first string) []string {
	var out []string
	for _, name := range p.Names() {
		if p.combine(first, p.byName[name]) {
			out = append(out, name)
		}
	}
	return out
}

func suggest(wanted, name string, known []string) string {
	near := diag.Suggest(name, known)
	if near == "" {
		return ""
	}
	return strings.TrimSuffix(wanted, name) + near
}

func (p *Profiles) variantsOf(profiles []string) []string {
	var out []string
	for _, name := range profiles {
		out = append(out, slices.Sorted(maps.Keys(p.byName[name].Variants))...)
	}
	return out
}

// build merges the two axes and the variants, and notes the variants.
func (p *Profiles) build(res *Resolution, pins pins, facts Facts) (Profile, error) {
	distribution, err := p.kindOf(res, res.Distribution, pins, facts)
	if err != nil || res.Infrastructure == "" || res.Infrastructure == res.Distribution {
		return distribution, err
	}
	infrastructure, err := p.kindOf(res, res.Infrastructure, pins, facts)
	if err != nil || res.Distribution == Generic {
		return infrastructure, err
	}
	return combine(infrastructure, distribution), nil
}

// combine is the profile of a distribution on an infrastructure. How traffic comes in is said by the infrastructure when it
// offers a way, else by the distribution; how the image comes, and the rest, by the distribution.
func combine(infrastructure, distribution Profile) Profile {
	out := clone(distribution)
	out.Name, out.Layer = infrastructure.Name, Both
	out.Title = infrastructure.Title + ", " + distribution.Title
	out.Hints = append(slices.Clone(infrastructure.Hints), distribution.Hints...)
	out.Image.Example = cmp.Or(infrastructure.Image.Example, distribution.Image.Example)
	if infrastructure.Reach != PortForward || infrastructure.Triton != nil {
		ways := clone(infrastructure)
		out.Service, out.StatusService, out.Reach = ways.Service, ways.StatusService, ways.Reach
		out.Triton, out.Missing = ways.Triton, ways.Missing
	}
	return out
}

// kindOf lays the variants of a profile over it: the one that facts show, unless one with rules is named, then the named ones.
func (p *Profiles) kindOf(res *Resolution, name string, pins pins, facts Facts) (Profile, error) {
	profile, err := p.Get(name)
	if err != nil {
		return profile, err
	}
	named, choosesKind := []string{}, false
	for _, v := range pins.variants {
		if variant, ok := profile.Variants[v]; ok {
			named = append(named, v)
			choosesKind = choosesKind || len(variant.Detect) > 0
		}
	}
	if !choosesKind {
		detected, reasons := profile.detectVariant(facts)
		if detected == "" && len(reasons) > 0 {
			res.Warning = cmp.Or(res.Warning, fmt.Sprintf("which kind of %s this is cannot be told (%s): name it, as in --cloud %s/%s",
				name, strings.Join(reasons, "; "), name, profile.kinds()[0]))
		}
		if detected != "" {
			named = append([]string{detected}, named...)
			res.Reasons = append(slices.Clone(res.Reasons), reasons...)
		}
	}
	for _, v := range named {
		profile = p.lay(profile, name, v)
	}
	res.Variants = append(res.Variants, named...)
	profile.Detect, profile.Variants = nil, nil
	return profile, nil
}

// lay puts one variant over a profile that may carry others already.
func (p *Profiles) lay(profile Profile, name, variant string) Profile {
	v := Variant{Profile: clone(profile)}
	for _, f := range p.files[name].chain() {
		_ = f.doc.Decode(&v, "spec", "variants", variant) // its problems were reported when the file was read
	}
	v.Name, v.Variants = profile.Name, profile.Variants
	return v.Profile
}

// chain are the files of one profile that extend each other under the same name, the first one first.
func (f *file) chain() []*file {
	if f.under != nil && f.head.Spec.Extends == f.head.Metadata.Name {
		return append(f.under.chain(), f)
	}
	return []*file{f}
}

// kinds are the variants that facts decide between, sorted.
func (p Profile) kinds() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p.Variants)) {
		if len(p.Variants[name].Detect) > 0 {
			out = append(out, name)
		}
	}
	return out
}

// detectVariant returns the variant that facts show and why. No name with reasons means: it could not be told.
func (p Profile) detectVariant(facts Facts) (string, []string) {
	var ranked []Candidate
	otherwise := ""
	for _, name := range p.kinds() {
		c := Candidate{Name: name}
		c.add(p.Variants[name].Detect, facts)
		if c.Score > 0 {
			ranked = append(ranked, c)
		}
		if slices.ContainsFunc(p.Variants[name].Detect, func(r Rule) bool { return r.Otherwise }) {
			otherwise = name
		}
	}
	slices.SortStableFunc(ranked, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	best, found := clear(ranked)
	switch {
	case found:
		return best.Name, best.Reasons
	case len(ranked) > 0 && ranked[0].Score >= enough:
		var seen []string
		for _, c := range ranked {
			seen = append(seen, fmt.Sprintf("%s: %s", c.Name, strings.Join(c.Reasons, ", ")))
		}
		return "", seen
	case otherwise != "" && len(facts.APIGroups) == 0:
		return "", []string{"no cluster was asked for its API groups"}
	case otherwise != "":
		return otherwise, []string{"no sign of another kind of " + p.Name}
	}
	return "", nil
}
