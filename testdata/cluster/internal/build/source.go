// Package build compiles the programs of a cluster and keeps them by the hash of
// what they are made of.
package build

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
)

// module is the first line of the go.mod that belongs to the sources.
const module = "module egk8s.dev/egk8s/testdata/cluster"

// Programs are the folders of the sources that are compiled; each makes a
// program of its name.
func Programs() []string { return []string{"kubernetes", "coredns", "pause"} }

// FindSource looks for the module's folder in the working folder and above it,
// there also at testdata/cluster.
func FindSource(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find sources: %w", err)
	}
	for at := abs; ; at = filepath.Dir(at) {
		for _, candidate := range []string{at, filepath.Join(at, "testdata", "cluster")} {
			data, err := os.ReadFile(filepath.Join(candidate, "go.mod"))
			if err == nil && strings.HasPrefix(string(data), module+"\n") {
				return candidate, nil
			}
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find sources: no folder testdata/cluster of egk8s in or above %s; name it with --source", abs)
		}
	}
}

// Key is a hash of everything that decides what the programs are.
func Key(source string) (string, error) {
	files := []string{"go.mod"}
	for _, program := range Programs() {
		found, err := filepath.Glob(filepath.Join(source, program, "*.go"))
		if err != nil {
			return "", fmt.Errorf("hash sources: %w", err)
		}
		if len(found) == 0 {
			return "", fmt.Errorf("hash sources: no Go files in %s", filepath.Join(source, program))
		}
		for _, f := range found {
			rel, err := filepath.Rel(source, f)
			if err != nil {
				return "", fmt.Errorf("hash sources: %w", err)
			}
			files = append(files, rel)
		}
	}
	h := sha256.New()
	fmt.Fprintln(h, layoutVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH, strings.Join(linkerFlags(), " "))
	for _, rel := range files {
		data, err := os.ReadFile(filepath.Join(source, rel))
		if err != nil {
			return "", fmt.Errorf("hash sources: %w", err)
		}
		if rel == "go.mod" {
			data = requirements(data)
		}
		fmt.Fprintf(h, "%s %d\n%s\n", rel, len(data), data)
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// requirements are the lines of a go.mod without order and remarks, which change
// when only egkube itself does.
func requirements(mod []byte) []byte {
	var lines []string
	for line := range strings.Lines(string(mod)) {
		line, _, _ = strings.Cut(line, "//")
		if line = strings.TrimSpace(line); strings.Contains(line, " v") {
			lines = append(lines, strings.TrimPrefix(line, "require "))
		}
	}
	sort.Strings(lines)
	return []byte(strings.Join(lines, "\n"))
}

// layoutVersion changes when the content of a build folder does.
const layoutVersion = "1"

// Complete says whether a build folder holds all that it should.
func Complete(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, doneFile))
	return !errors.Is(err, os.ErrNotExist) && err == nil
}

// doneFile is written last.
const doneFile = "done"
