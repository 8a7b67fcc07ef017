package difference

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	udiff "github.com/aymanbagabas/go-udiff"

	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/deployer/project"
)

// File is how one configuration file changes.
type File struct {
	Path   string       `json:"path"` // relative to the config folder
	Action event.Action `json:"action"`
	Secret bool         `json:"secret,omitempty"`
	// Diff is the change in the unified format, without a head; empty for a secret or binary file.
	Diff string `json:"diff,omitempty"`
}

// Files describes how the configuration files of two states differ, sorted by path.
func Files(before, after []project.File) []File {
	old, now := byPath(before), byPath(after)
	paths := map[string]bool{}
	for _, f := range slices.Concat(before, after) {
		paths[f.Path] = true
	}
	out := []File{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		a, was := old[path]
		b, is := now[path]
		f := File{Path: path, Action: event.Configured, Secret: a.Secret || b.Secret}
		switch {
		case !was:
			f.Action = event.Created
		case !is:
			f.Action = event.Deleted
		case bytes.Equal(a.Data, b.Data):
			continue
		}
		if !f.Secret {
			f.Diff = lines(a.Data, b.Data)
		}
		out = append(out, f)
	}
	return out
}

func byPath(files []project.File) map[string]project.File {
	out := make(map[string]project.File, len(files))
	for _, f := range files {
		out[f.Path] = f
	}
	return out
}

// lines returns the change between two texts, three lines around each; nothing for what is no text.
func lines(before, after []byte) string {
	if !utf8.Valid(before) || !utf8.Valid(after) {
		return ""
	}
	text := udiff.Unified("a", "b", string(before), string(after))
	_, text, _ = strings.Cut(text, "\n") // --- a
	_, text, _ = strings.Cut(text, "\n") // +++ b
	return text
}
