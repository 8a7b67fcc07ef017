package cloud

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Source is a profile as its file says it; the last file of that name.
func (p *Profiles) Source(name string) ([]byte, error) {
	if _, err := p.Get(name); err != nil {
		return nil, err
	}
	return p.files[name].source, nil
}

// Value is one value of a merged profile and the file that said it.
type Value struct {
	Path  string `json:"path"`
	Value string `json:"value"` // as JSON
	From  string `json:"from"`  // file, and the variant of it that said so: gke.yaml, variant internal
}

// Values are all values of a resolved profile, by path.
func (p *Profiles) Values(res Resolution) ([]Value, error) {
	data, err := json.Marshal(res.Profile)
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	tree := map[string]any{}
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	var out []Value
	err = walk(nil, tree, func(path []string, value any) error {
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("read profile: %w", err)
		}
		out = append(out, Value{Path: strings.Join(path, "."), Value: string(text), From: p.origin(res, path)})
		return nil
	})
	slices.SortFunc(out, func(a, b Value) int { return strings.Compare(a.Path, b.Path) })
	return out, err
}

func walk(path []string, tree map[string]any, leaf func([]string, any) error) error {
	for key, value := range tree {
		at := append(slices.Clone(path), key)
		if branch, ok := value.(map[string]any); ok {
			if err := walk(at, branch, leaf); err != nil {
				return err
			}
			continue
		}
		if err := leaf(at, value); err != nil {
			return err
		}
	}
	return nil
}

// origin is the last file of the halves of a profile that speaks of a path.
func (p *Profiles) origin(res Resolution, path []string) string {
	for _, name := range []string{res.Infrastructure, res.Distribution} {
		if name == "" {
			continue
		}
		for _, variant := range slices.Backward(res.Variants) {
			if f := p.files[name]; f.doc.Has(append([]string{"spec", "variants", variant}, path...)...) {
				return f.name() + ", variant " + variant
			}
		}
		for _, f := range p.below(name) {
			if f.doc.Has(append([]string{"spec"}, path...)...) {
				return f.name()
			}
		}
	}
	return "-" // of both halves, or never said
}

func (f *file) name() string { return f.doc.Position("kind").File }

// below are the files that make a profile, the last word first.
func (p *Profiles) below(name string) []*file {
	var out []*file
	for f := p.files[name]; f != nil && !slices.Contains(out, f); {
		out = append(out, f)
		if base := f.head.Spec.Extends; base == f.head.Metadata.Name {
			f = f.under
		} else {
			f = p.files[base]
		}
	}
	return out
}
