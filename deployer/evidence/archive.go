// Package evidence packs what a deploy that failed leaves behind into one archive that can be handed on: bounded in
// size and without secrets. It decides nothing and talks to nobody.
package evidence

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// The bounds of an archive, before it is compressed.
const (
	MaxLines = 500       // of one log
	MaxFile  = 256 << 10 // bytes of one file
	MaxTotal = 4 << 20   // bytes of all
)

// Archive collects files. It is safe for concurrent use.
type Archive struct {
	mu    sync.Mutex
	mask  *Mask
	files map[string][]byte
	size  int
	notes []string
}

// New returns an empty archive; everything that goes into it passes through the mask, which learns nothing more.
func New(mask *Mask) *Archive {
	return &Archive{mask: mask, files: map[string][]byte{}}
}

// JSON adds a value; one that is too long is left out.
func (a *Archive) JSON(name string, v any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	clean, err := a.mask.Value(v)
	if err != nil {
		a.note("%s: %v", name, err)
		return
	}
	raw, err := json.MarshalIndent(clean, "", "  ")
	if err != nil {
		a.note("%s: %v", name, err)
		return
	}
	a.add(name, append(raw, '\n'))
}

// JSONLines adds values, one a line; of too many the last ones.
func JSONLines[T any](a *Archive, name string, values []T) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var b bytes.Buffer
	for _, v := range values {
		clean, err := a.mask.Value(v)
		if err != nil {
			a.note("%s: %v", name, err)
			continue
		}
		raw, err := json.Marshal(clean)
		if err != nil {
			a.note("%s: %v", name, err)
			continue
		}
		b.Write(raw)
		b.WriteByte('\n')
	}
	a.add(name, a.end(name, b.Bytes()))
}

// Log adds the end of a log. It is masked before it is cut, so that no half of a secret stays.
func (a *Archive) Log(name string, raw []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.size >= MaxTotal {
		a.note("%s: left out, the archive is full", name)
		return
	}
	text := a.mask.Text(strings.ToValidUTF8(string(raw), "�"))
	lines := slices.Collect(strings.Lines(text))
	if len(lines) > MaxLines {
		a.note("%s: the last %d lines only", name, MaxLines)
		lines = lines[len(lines)-MaxLines:]
	}
	a.add(name, a.end(name, []byte(strings.Join(lines, ""))))
}

// Note says in the archive what is not in it, and why.
func (a *Archive) Note(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.note(format, args...)
}

func (a *Archive) note(format string, args ...any) {
	a.notes = append(a.notes, a.mask.Text(fmt.Sprintf(format, args...)))
}

// end cuts the front off, between two lines.
func (a *Archive) end(name string, raw []byte) []byte {
	if len(raw) <= MaxFile {
		return raw
	}
	a.note("%s: the last %d KiB only", name, MaxFile>>10)
	raw = raw[len(raw)-MaxFile:]
	return raw[bytes.IndexByte(raw, '\n')+1:]
}

func (a *Archive) add(name string, raw []byte) {
	switch {
	case len(raw) == 0:
	case len(raw) > MaxFile:
		a.note("%s: left out, %d bytes are too many", name, len(raw))
	case a.size+len(raw) > MaxTotal:
		a.note("%s: left out, the archive is full", name)
	default:
		a.files[name] = raw
		a.size += len(raw)
	}
}

// Write writes the archive: one folder with the files, and in README what they are and what is missing.
func (a *Archive) Write(w io.Writer, folder string, at time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	zipped := gzip.NewWriter(w)
	out := tar.NewWriter(zipped)
	files := map[string][]byte{"README": []byte(a.readme())}
	names := []string{"README"}
	for name, raw := range a.files {
		files[name], names = raw, append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		head := &tar.Header{Name: path.Join(folder, name), Mode: 0o600, Size: int64(len(files[name])), ModTime: at, Format: tar.FormatPAX}
		if err := out.WriteHeader(head); err != nil {
			return err
		}
		if _, err := out.Write(files[name]); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return zipped.Close()
}

func (a *Archive) readme() string {
	text := "What a failed egk8s deploy left behind, gathered before anything was rolled back. Secrets are masked.\n\n" +
		"diagnosis.json    why it failed\n" +
		"plan.json         what the deploy changed, objects by field and configuration files by line\n" +
		"events.jsonl      what egk8s saw, in order\n" +
		"kubernetes-events.json, objects/    the release in the cluster at that time; never a Secret\n" +
		"logs/             of its pods, NAME.CONTAINER.log and NAME.CONTAINER.previous.log\n"
	if len(a.notes) > 0 {
		text += "\nNot here:\n- " + strings.Join(a.notes, "\n- ") + "\n"
	}
	return text
}

// WriteFile writes the archive into dir, which is made where it is missing, and returns its path. Only its user may
// read it. The file is there whole or not at all.
func (a *Archive) WriteFile(dir, folder string, at time.Time) (name string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, ".egk8s-evidence-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	err = a.Write(f, folder, at)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", err
	}
	name = filepath.Join(dir, folder+".tar.gz")
	return name, os.Rename(f.Name(), name)
}
