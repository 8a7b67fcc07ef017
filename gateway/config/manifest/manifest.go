// Package manifest names a configuration: a list of its files with their hashes, whose own hash is the
// digest that a pod template carries and that a gateway reports (docs/reference/config-digest.md).
//
// One line per file: path NUL size NUL sha256 NL, sorted bytewise by path. A file that lives in a
// Secret has the Secret's name in place of the hash, so that nothing about its content can be guessed.
package manifest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
)

// Name is the manifest's own file name, beside the files that it lists.
const Name = "egk8s.manifest"

// Entry is one file of a configuration.
type Entry struct {
	Path string // slash-separated, relative, clean
	Size int64  // bytes
	// SHA256 is the content's hash in hex; empty when Secret is set.
	SHA256 string
	// Secret is the name of the Secret that holds the file; empty for a file of the ConfigMap.
	Secret string
}

// File describes a file of the ConfigMap by its content.
func File(path string, content []byte) Entry {
	sum := sha256.Sum256(content)
	return Entry{Path: path, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

// SecretFile describes a file that lives in the named Secret.
func SecretFile(path string, content []byte, secret string) Entry {
	return Entry{Path: path, Size: int64(len(content)), Secret: secret}
}

// Build writes the manifest of the entries, in any order. It refuses paths that leave the folder,
// that stand twice or that name the manifest itself, and names no Secret can have.
func Build(entries []Entry) ([]byte, error) {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, func(a, b Entry) int { return cmp.Compare(a.Path, b.Path) })
	var b bytes.Buffer
	for i, e := range sorted {
		if err := e.validate(); err != nil {
			return nil, fmt.Errorf("build manifest: %w", err)
		}
		if i > 0 && sorted[i-1].Path == e.Path {
			return nil, fmt.Errorf("build manifest: %q stands twice", e.Path)
		}
		fmt.Fprintf(&b, "%s\x00%d\x00%s\n", e.Path, e.Size, cmp.Or(e.SHA256, e.Secret))
	}
	return b.Bytes(), nil
}

// Digest is the name of the configuration: the SHA-256 of its manifest, in hex.
func Digest(manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return hex.EncodeToString(sum[:])
}

// Parse reads a manifest. It accepts exactly what Build writes.
func Parse(text []byte) ([]Entry, error) {
	var entries []Entry
	for n := 1; len(text) > 0; n++ {
		line, rest, found := bytes.Cut(text, []byte("\n"))
		fields := bytes.Split(line, []byte{0})
		if !found || len(fields) != 3 {
			return nil, fmt.Errorf("parse manifest: line %d is not path, size and hash", n)
		}
		size, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil || size < 0 || strconv.FormatInt(size, 10) != string(fields[1]) {
			return nil, fmt.Errorf("parse manifest: line %d has no size", n)
		}
		e := Entry{Path: string(fields[0]), Size: size}
		if third := string(fields[2]); isHash(third) {
			e.SHA256 = third
		} else {
			e.Secret = third
		}
		if err := e.validate(); err != nil {
			return nil, fmt.Errorf("parse manifest: line %d: %w", n, err)
		}
		if len(entries) > 0 && entries[len(entries)-1].Path >= e.Path {
			return nil, fmt.Errorf("parse manifest: line %d is out of order", n)
		}
		entries, text = append(entries, e), rest
	}
	return entries, nil
}

func (e Entry) validate() error {
	switch {
	case !fs.ValidPath(e.Path) || e.Path == ".":
		return fmt.Errorf("%q is no relative path inside the folder", e.Path)
	case e.Path == Name:
		return errors.New("the manifest cannot list itself")
	case bytes.ContainsAny([]byte(e.Path), "\x00\n"):
		return fmt.Errorf("%q has a character that a path cannot have", e.Path)
	case e.Size < 0:
		return fmt.Errorf("%q has a negative size", e.Path)
	case (e.SHA256 == "") == (e.Secret == ""):
		return fmt.Errorf("%q needs a hash or a Secret", e.Path)
	case e.SHA256 != "" && !isHash(e.SHA256):
		return fmt.Errorf("%q has no SHA-256 in hex", e.Path)
	case e.Secret != "" && !isSecretName(e.Secret):
		return fmt.Errorf("%q is in %q, which is no name of a Secret", e.Path, e.Secret)
	default:
		return nil
	}
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && s == hex.EncodeToString(b)
}

// isSecretName accepts names of Kubernetes objects, but none that a hash could be taken for.
func isSecretName(s string) bool {
	if s == "" || len(s) > 253 || isHash(s) {
		return false
	}
	return !slices.ContainsFunc([]byte(s), func(c byte) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.'
	})
}
