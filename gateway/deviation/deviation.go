// Package deviation lists where this gateway differs from Express Gateway 1.16.11 on purpose. The page
// docs/compatibility.md, the expected differences of the conformance test and what egk8s init tells of a
// user's files are all made of this one list.
package deviation

import "slices"

// Page is where people read of the deviations; "#" and an ID behind it lead to one.
const Page = "docs/compatibility.md"

// Deviation is one chosen difference. There and Here are Markdown, one paragraph each.
type Deviation struct {
	// ID is stable: links of old programs lead to it.
	ID string
	// There is what Express Gateway does.
	There string
	// Here is what this gateway does.
	Here string
	// Cases are the recorded conformance cases that show it.
	Cases []string
	// Notice tells the owner of files that it touches, in one plain sentence; empty where files cannot show it.
	Notice string
}

// Link leads to the deviation on the page.
func (d Deviation) Link() string { return Page + "#" + d.ID }

// Area is a part of the page.
type Area struct {
	Title string
	// Intro stands before the table; it may be empty.
	Intro      string
	Deviations []Deviation
}

// Areas returns every deviation, in the order of the page.
func Areas() []Area {
	return []Area{
		{Title: "Configuration files", Intro: configurationIntro, Deviations: configuration()},
		{Title: "Requests", Deviations: requests()},
		{Title: "Policies, conditions and expressions", Deviations: slices.Concat(policies(), authentication(), oauth2(), traffic(), upstreams())},
		{Title: "Admin API", Deviations: admin()},
	}
}

// All returns every deviation.
func All() []Deviation {
	var list []Deviation
	for _, a := range Areas() {
		list = append(list, a.Deviations...)
	}
	return list
}

// Find returns the deviation with an ID.
func Find(id string) (Deviation, bool) {
	all := All()
	i := slices.IndexFunc(all, func(d Deviation) bool { return d.ID == id })
	if i < 0 {
		return Deviation{}, false
	}
	return all[i], true
}
