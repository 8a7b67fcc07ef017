package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/diag"
)

// File is one file of the config folder.
type File struct {
	Path   string // relative to the config folder, with slashes
	Data   []byte
	Secret bool // it goes into the Secret, and its content is never shown
}

// Files are what a deploy takes to the cluster: every file but the consumers is in Config, sorted
// bytewise by Path.
type Files struct {
	Config    []File
	Consumers *File // nil: the project has none; Path is its base name
	// ConsumersDigest is what a replica shows as consumersDigest once it has loaded Consumers. Read sets it.
	ConsumersDigest string
}

// What the folder and the objects made from it can hold.
const (
	maxFile   = 1 << 20 // of one object in etcd, a little less in truth
	maxObject = 1 << 20
)

// ConfigDir is the path of the config folder.
func (p *Project) ConfigDir() string {
	return filepath.Join(p.Dir, filepath.FromSlash(p.Spec.Config.Dir))
}

// Collect reads the files that go to the cluster: the gateway and system config, the models, what the
// config refers to (references, relative to the config folder) and the consumers. A reference that
// spec.files takes from a Secret of the cluster is left out.
func (p *Project) Collect(references []string) (Files, diag.Problems) {
	c := &collector{p: p}
	c.oneOf("gateway.config", true)
	c.oneOf("system.config", false)
	c.models()
	for _, name := range references {
		c.reference(name)
	}
	slices.SortFunc(c.files.Config, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	c.files.Config = slices.CompactFunc(c.files.Config, func(a, b File) bool { return a.Path == b.Path })
	c.consumers()
	c.sizes()
	return c.files, c.problems
}

type collector struct {
	p        *Project
	files    Files
	problems diag.Problems
}

func (c *collector) fail(file, code, hint, format string, args ...any) {
	c.problems = append(c.problems, diag.Problem{
		Code: code, Severity: diag.Error, Position: diag.Position{File: file},
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// oneOf takes NAME.yml, NAME.yaml, NAME.json or NAME.js, which Express Gateway looks for in this order.
func (c *collector) oneOf(name string, needed bool) {
	for _, ext := range []string{".yml", ".yaml", ".json"} {
		if _, err := os.Stat(filepath.Join(c.p.ConfigDir(), name+ext)); err == nil {
			c.add(name + ext)
			return
		}
	}
	if !needed {
		return
	}
	file := filepath.Join(c.p.ConfigDir(), name+".yml")
	if _, err := os.Stat(filepath.Join(c.p.ConfigDir(), name+".js")); err == nil {
		c.fail(file, "javascript-config", "write it as YAML", "%s.js is a program, which this gateway does not run", name)
		return
	}
	c.fail(file, "unreadable", "egk8s init writes one; spec.config.dir names another folder", "there is no such file")
}

func (c *collector) models() {
	entries, err := os.ReadDir(filepath.Join(c.p.ConfigDir(), "models"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.fail(filepath.Join(c.p.ConfigDir(), "models"), "unreadable", "", "the folder cannot be read: %v", errors.Unwrap(err))
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".json") && !entry.IsDir() {
			c.add("models/" + entry.Name())
		}
	}
}

func (c *collector) reference(name string) {
	if slices.ContainsFunc(c.p.Spec.Files, func(f SecretFile) bool { return f.Path == name }) {
		return
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		c.fail(name, "outside-folder", "copy it into the config folder, or take it from a Secret with spec.files",
			"the config refers to a file outside its folder")
		return
	}
	c.add(path.Clean(name))
}

func (c *collector) add(name string) {
	file := filepath.Join(c.p.ConfigDir(), filepath.FromSlash(name))
	if data, ok := c.read(file); ok {
		c.files.Config = append(c.files.Config, File{Path: name, Data: data, Secret: c.secret(name)})
	}
}

func (c *collector) read(file string) ([]byte, bool) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.fail(file, "unreadable", "", "there is no such file")
	case err != nil:
		c.fail(file, "unreadable", "", "the file cannot be read: %v", errors.Unwrap(err))
	case !info.Mode().IsRegular():
		c.fail(file, "unreadable", "", "this is not a file")
	case info.Size() > maxFile:
		c.fail(file, "too-large", "", "the file has %d bytes; Kubernetes objects hold 1 MiB", info.Size())
	default:
		data, err := os.ReadFile(file)
		if err == nil {
			return data, true
		}
		c.fail(file, "unreadable", "", "the file cannot be read: %v", errors.Unwrap(err))
	}
	return nil, false
}

// secret tells whether a file goes into the Secret: the system config, what spec.config.sensitive
// names, and whatever looks like a private key.
func (c *collector) secret(name string) bool {
	if strings.HasPrefix(name, "system.config.") || hasSuffix(name, ".key", ".p12", ".pfx") {
		return true
	}
	return slices.ContainsFunc(c.p.Spec.Config.Sensitive, func(pattern string) bool {
		whole, _ := path.Match(pattern, name)
		base, _ := path.Match(pattern, path.Base(name))
		return whole || base
	})
}

func (c *collector) consumers() {
	if c.p.Spec.Consumers == "" {
		return
	}
	file := filepath.Join(c.p.Dir, filepath.FromSlash(c.p.Spec.Consumers))
	if data, ok := c.read(file); ok {
		c.files.Consumers = &File{Path: filepath.Base(file), Data: data, Secret: true}
	}
}

// sizes refuses what the API server would refuse: an object of more than 1 MiB.
func (c *collector) sizes() {
	sums := map[bool]int{}
	for _, f := range c.files.Config {
		sums[f.Secret] += len(f.Data)
	}
	for secret, sum := range sums {
		if sum > maxObject {
			kind := "ConfigMap"
			if secret {
				kind = "Secret"
			}
			c.fail(c.p.ConfigDir(), "too-large", "", "the files of the %s have %d bytes together; it holds 1 MiB", kind, sum)
		}
	}
}
