package cloud

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
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
	files  map[string]*file
}

// Folder is where profiles are read from.
type Folder struct {
	FS   fs.FS
	Path string // before the names of files in messages; empty: none
}

// Builtin reads the profiles that egk8s carries, and those of the folders over them.
func Builtin(more ...Folder) (*Profiles, diag.Problems) {
	folder, err := fs.Sub(templates.FS, "clouds")
	if err != nil {
		return nil, diag.Problems{{Code: "unreadable", Severity: diag.Error, Message: err.Error()}}
	}
	return Load(append([]Folder{{FS: folder}}, more...)...)
}

// Load reads every *.yaml of the folders. A profile of a later folder replaces one of the same name, and extends it where it
// names itself in extends.
func Load(folders ...Folder) (*Profiles, diag.Problems) {
	l := loader{files: map[string]*file{}, merged: map[*file]Profile{}}
	for _, folder := range folders {
		l.read(folder)
	}
	p := &Profiles{byName: map[string]Profile{}, files: l.files}
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		p.byName[name] = l.merge(l.files[name], nil)
	}
	l.problems.Sort()
	return p, l.problems
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
	doc    *strictyaml.Document
	source []byte
	under  *file // of the same name, in an earlier folder
	head   struct {
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
	merged   map[*file]Profile
	problems diag.Problems
}

func (l *loader) read(folder Folder) {
	names, err := fs.Glob(folder.FS, "*.yaml")
	if err != nil {
		names = nil
	}
	for _, name := range names {
		shown := filepath.Join(folder.Path, name)
		data, err := fs.ReadFile(folder.FS, name)
		if err != nil {
			l.fail(diag.Position{File: shown}, "unreadable", "the file cannot be read: %v", err)
			continue
		}
		doc, problems := strictyaml.Parse(shown, data)
		l.problems = append(l.problems, problems...)
		if doc == nil {
			continue
		}
		f := &file{doc: doc, source: data}
		l.problems = append(l.problems, doc.Decode(&f.head)...)
		if f.head.APIVersion != apiVersion || f.head.Kind != kind {
			l.fail(doc.Position("kind"), "kind", "a cloud profile begins with apiVersion: %s and kind: %s", apiVersion, kind)
		}
		want := strings.TrimSuffix(name, ".yaml")
		if f.head.Metadata.Name != want {
			l.fail(doc.Position("metadata", "name"), "name", "metadata.name must be %s, as the file", want)
		}
		f.under = l.files[want]
		l.files[want] = f
	}
}

// merge lays a profile over the one that it extends, once.
func (l *loader) merge(f *file, trail []*file) Profile {
	if done, ok := l.merged[f]; ok {
		return done
	}
	var profile Profile
	if base := f.head.Spec.Extends; base != "" {
		under := l.files[base]
		if base == f.head.Metadata.Name && f.under != nil {
			under = f.under
		}
		trail = append(trail, f)
		switch at := f.doc.Position("spec", "extends"); {
		case under == nil:
			l.fail(at, "unknown-profile", "there is no profile %q to extend", base)
		case slices.Contains(trail, under):
			l.fail(at, "circle", "the profiles extend each other in a circle: %s", names(append(trail, under)))
		default:
			profile = clone(l.merge(under, trail))
		}
		if base != f.head.Metadata.Name {
			// Evidence for the base is none for this one, and its kinds are not of this one.
			profile.Detect, profile.Variants, profile.Layer = nil, nil, ""
		}
	}
	layer := struct {
		Extends string `json:"extends"`
		Profile
	}{Profile: profile}
	_ = f.doc.Decode(&layer, "spec") // its problems were reported when the file was read
	layer.Name = f.head.Metadata.Name
	layer.Variants = l.variants(f, layer.Profile)
	c := checker{loader: l, doc: f.doc, at: []string{"spec"}}
	c.profile(layer.Profile)
	l.merged[f] = layer.Profile
	return layer.Profile
}

// variants lays each kind of a cloud over the cloud.
func (l *loader) variants(f *file, p Profile) map[string]Variant {
	merged := map[string]Variant{}
	maps.Copy(merged, p.Variants)
	for _, name := range f.doc.Keys("spec", "variants") {
		whole := clone(p)
		whole.Detect = merged[name].Detect
		v := Variant{Profile: whole}
		_ = f.doc.Decode(&v, "spec", "variants", name) // its problems were reported when the file was read
		c := checker{loader: l, doc: f.doc, at: []string{"spec", "variants", name}}
		c.variant(v.Profile)
		merged[name] = v
	}
	return merged
}

func names(files []*file) string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.head.Metadata.Name
	}
	return strings.Join(out, ", ")
}

func clone(p Profile) Profile {
	p.Service.Annotations = maps.Clone(p.Service.Annotations)
	p.StatusService.Annotations = maps.Clone(p.StatusService.Annotations)
	if p.Triton != nil {
		t := *p.Triton
		t.Service.Annotations = maps.Clone(t.Service.Annotations)
		p.Triton = &t
	}
	return p
}

func (l *loader) fail(pos diag.Position, code, format string, args ...any) {
	l.problems = append(l.problems, diag.Problem{
		Code: code, Severity: diag.Error, Position: pos, Message: fmt.Sprintf(format, args...),
	})
}
