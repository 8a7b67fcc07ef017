package cloud

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"egk8s.dev/egk8s/deployer/strictyaml"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/templates"
)

// Generic is the profile that every other one extends.
const Generic = "generic"

// The head of a profile file.
const (
	apiVersion = "egk8s.dev/v1alpha1"
	kind       = "CloudProfile"
)

// Profiles is a set of merged profiles by name.
type Profiles struct {
	byName map[string]Profile
}

// Builtin reads the profiles that egk8s carries.
func Builtin() (*Profiles, diag.Problems) {
	folder, err := fs.Sub(templates.FS, "clouds")
	if err != nil {
		return nil, diag.Problems{{Code: "unreadable", Severity: diag.Error, Message: err.Error()}}
	}
	return Load(folder)
}

// Load reads every *.yaml of the folders. A profile of a later folder replaces one of the same name,
// and may extend it.
func Load(folders ...fs.FS) (*Profiles, diag.Problems) {
	l := loader{files: map[string]*file{}, merged: map[string]Profile{}}
	for _, folder := range folders {
		l.read(folder)
	}
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		l.merge(name, nil)
	}
	l.problems.Sort()
	return &Profiles{byName: l.merged}, l.problems
}

// Names are the names of all profiles, sorted.
func (p *Profiles) Names() []string { return slices.Sorted(maps.Keys(p.byName)) }

// Get returns a profile by name. An unknown name gives an *UnknownError.
func (p *Profiles) Get(name string) (Profile, error) {
	profile, ok := p.byName[name]
	if !ok {
		return Profile{}, &UnknownError{Name: name, Suggestion: diag.Suggest(name, p.Names()), Known: p.Names()}
	}
	return profile, nil
}

// UnknownError says that there is no profile of that name (exit 3).
type UnknownError struct {
	Name, Suggestion string
	Known            []string
}

func (e *UnknownError) Error() string {
	if e.Suggestion != "" {
		return fmt.Sprintf("there is no cloud %q; did you mean %s?", e.Name, e.Suggestion)
	}
	return fmt.Sprintf("there is no cloud %q; known: %s", e.Name, strings.Join(e.Known, ", "))
}

type file struct {
	doc  *strictyaml.Document
	head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Spec struct {
			Extends string `json:"extends"`
			Profile
		} `json:"spec"`
	}
}

type loader struct {
	files    map[string]*file
	merged   map[string]Profile
	problems diag.Problems
}

func (l *loader) read(folder fs.FS) {
	names, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		names = nil
	}
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			l.fail(diag.Position{File: name}, "unreadable", "the file cannot be read: %v", err)
			continue
		}
		doc, problems := strictyaml.Parse(name, data)
		l.problems = append(l.problems, problems...)
		if doc == nil {
			continue
		}
		f := &file{doc: doc}
		l.problems = append(l.problems, doc.Decode(&f.head)...)
		if f.head.APIVersion != apiVersion || f.head.Kind != kind {
			l.fail(doc.Position("kind"), "kind", "a cloud profile begins with apiVersion: %s and kind: %s", apiVersion, kind)
		}
		if want := strings.TrimSuffix(path.Base(name), ".yaml"); f.head.Metadata.Name != want {
			l.fail(doc.Position("metadata", "name"), "name", "metadata.name must be %s, as the file", want)
		}
		l.files[f.head.Metadata.Name] = f
	}
}

// merge lays a profile over the one that it extends, once.
func (l *loader) merge(name string, trail []string) Profile {
	if done, ok := l.merged[name]; ok {
		return done
	}
	f := l.files[name]
	var profile Profile
	if base := f.head.Spec.Extends; base != "" {
		switch at := f.doc.Position("spec", "extends"); {
		case l.files[base] == nil:
			l.fail(at, "unknown-profile", "there is no profile %q to extend", base)
		case slices.Contains(append(trail, name), base):
			l.fail(at, "circle", "the profiles extend each other in a circle: %s", strings.Join(append(trail, name, base), ", "))
		default:
			profile = clone(l.merge(base, append(trail, name)))
		}
	}
	profile.Detect = nil // evidence for the base is none for this one
	layer := struct {
		Extends string `json:"extends"`
		Profile
	}{Profile: profile}
	_ = f.doc.Decode(&layer, "spec") // its problems were reported when the file was read
	layer.Name = name
	l.check(f.doc, layer.Profile)
	l.merged[name] = layer.Profile
	return layer.Profile
}

func clone(p Profile) Profile {
	p.Service.Annotations = maps.Clone(p.Service.Annotations)
	p.StatusService.Annotations = maps.Clone(p.StatusService.Annotations)
	return p
}

func (l *loader) check(doc *strictyaml.Document, p Profile) {
	words := []struct {
		path  []string
		value string
		known []string
	}{
		{[]string{"spec", "image", "delivery"}, string(p.Image.Delivery), []string{string(Push), string(KindLoad), string(None)}},
		{[]string{"spec", "image", "pullPolicy"}, p.Image.PullPolicy, []string{"IfNotPresent", "Never", "Always"}},
		{[]string{"spec", "service", "type"}, p.Service.Type, []string{"ClusterIP", "NodePort", "LoadBalancer"}},
		{[]string{"spec", "service", "externalTrafficPolicy"}, p.Service.ExternalTrafficPolicy, []string{"", "Cluster", "Local"}},
		{[]string{"spec", "statusService", "type"}, p.StatusService.Type, []string{"", "ClusterIP", "NodePort", "LoadBalancer"}},
		{[]string{"spec", "reach"}, string(p.Reach), []string{string(LoadBalancer), string(NodePort), string(PortForward)}},
	}
	for _, w := range words {
		if !slices.Contains(w.known, w.value) {
			l.fail(doc.Position(w.path...), "unknown-word", "%s must be one of %s, not %q",
				strings.Join(w.path[1:], "."), strings.Join(slices.DeleteFunc(w.known, func(s string) bool { return s == "" }), ", "), w.value)
		}
	}
	for i, rule := range p.Detect {
		if err := rule.check(); err != nil {
			l.fail(doc.Position("spec", "detect", fmt.Sprint(i)), "rule", "%v", err)
		}
	}
	for i, hint := range p.Hints {
		if _, err := regexp.Compile(hint.Match); err != nil {
			l.fail(doc.Position("spec", "hints", fmt.Sprint(i), "match"), "pattern", "%q is not a regular expression", hint.Match)
		}
	}
}

func (l *loader) fail(pos diag.Position, code, format string, args ...any) {
	l.problems = append(l.problems, diag.Problem{
		Code: code, Severity: diag.Error, Position: pos, Message: fmt.Sprintf(format, args...),
	})
}
