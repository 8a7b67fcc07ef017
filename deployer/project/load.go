package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"egk8s.dev/egk8s/deployer/strictyaml"
	"egk8s.dev/egk8s/gateway/diag"
)

// The head of every egk8s.yaml of this version.
const (
	APIVersion = "egk8s.dev/v1alpha1"
	Kind       = "Gateway"
)

// Options say how to read egk8s.yaml.
type Options struct {
	Environment string // an entry of environments; empty: none
	// Env looks a variable of egk8s' own environment up; nil: none is set.
	Env func(name string) (string, bool)
}

// Load reads egk8s.yaml strictly and applies the environment. Every problem is found in one pass;
// the project is nil when the file cannot be read or is not YAML.
func Load(file string, opts Options) (*Project, diag.Problems) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, diag.Problems{unreadable(file, err)}
	}
	return Parse(file, data, opts)
}

// Parse is Load for a file whose content is already read, as from standard input.
func Parse(file string, data []byte, opts Options) (*Project, diag.Problems) {
	yaml, problems := strictyaml.Parse(file, data)
	if yaml == nil {
		return nil, problems
	}
	doc := &document{yaml: yaml, opts: opts}
	problems = append(problems, yaml.Decode(&doc.content)...)
	problems = append(problems, doc.checkHead(file)...)
	p, more := doc.project(file, "")
	problems = append(problems, more...)
	problems.Sort()
	return p, problems
}

// ForCloud returns the project with the overrides of a cloud applied below those of the
// environment, for when the cloud is known at last.
//
// Of NAME/VARIANT the name counts.
func (p *Project) ForCloud(name string) (*Project, diag.Problems) {
	name, _, _ = strings.Cut(name, "/")
	return p.document.project(p.File, name)
}

// document is egk8s.yaml as written.
type document struct {
	yaml    *strictyaml.Document
	opts    Options
	content file
}

type file struct {
	APIVersion   string                 `json:"apiVersion"`
	Kind         string                 `json:"kind"`
	Metadata     metadata               `json:"metadata"`
	Cloud        string                 `json:"cloud"`
	Spec         Spec                   `json:"spec"`
	Clouds       map[string]cloud       `json:"clouds"`
	Environments map[string]environment `json:"environments"`
}

type metadata struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

type cloud struct {
	Context   string `json:"context"`
	Namespace string `json:"namespace"`
	Wave      int    `json:"wave"`
	Spec
}

type environment struct {
	Cloud     string `json:"cloud"`
	Context   string `json:"context"`
	Namespace string `json:"namespace"`
	Protected bool   `json:"protected"`
	Wave      int    `json:"wave"`
	Spec
}

// project applies the overrides of the cloud and of the chosen environment to the spec and checks
// the outcome. The types were checked when the document was read.
func (d *document) project(path, cloud string) (*Project, diag.Problems) {
	p := &Project{
		Name: d.content.Metadata.Name, Namespace: d.content.Metadata.Namespace, Cloud: d.content.Cloud,
		Environment: d.opts.Environment, File: path, Dir: filepath.Dir(path), document: d,
	}
	roots := [][]string{{"spec"}}
	var problems diag.Problems
	env, chosen := d.content.Environments[d.opts.Environment]
	switch {
	case chosen:
		p.Context, p.Protected, p.Wave = env.Context, env.Protected, env.Wave
		p.Cloud = or(env.Cloud, p.Cloud)
	case d.opts.Environment != "":
		problems = append(problems, d.unknownEnvironment())
	}
	p.Cloud = or(cloud, p.Cloud)
	if p.Cloud != "" {
		roots = append(roots, []string{"clouds", p.Cloud})
	}
	onCloud := d.content.Clouds[p.Cloud]
	p.Context, p.Namespace = or(p.Context, onCloud.Context), or(or(env.Namespace, onCloud.Namespace), p.Namespace)
	if p.Wave == 0 {
		p.Wave = onCloud.Wave
	}
	if chosen {
		roots = append(roots, []string{"environments", p.Environment})
	}
	p.Position = d.positions(roots)
	layered := environment{Spec: defaults()}
	for _, root := range roots {
		_ = d.yaml.Decode(&layered, root...) // its problems were reported when the file was read
	}
	p.Spec = layered.Spec
	for i, probe := range p.Spec.Probes {
		p.Spec.Probes[i].Method = strings.ToUpper(or(probe.Method, "GET"))
	}
	problems = append(problems, d.expand(p)...)
	return p, append(problems, validate(p)...)
}

// defaults are the spec of a file that says nothing.
func defaults() Spec {
	return Spec{
		Config:   Config{Dir: "config"},
		Store:    Store{Kind: StoreFile},
		LogLevel: "info",
		Replicas: Replicas{Fixed: 2},
		Drain:    Drain{Delay: 5, Timeout: 30},
		Resources: Resources{
			Requests: map[string]string{"cpu": "100m", "memory": "64Mi"},
			Limits:   map[string]string{"memory": "256Mi"},
		},
	}
}

var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}`)

// expand replaces ${NAME} in the fields that allow it.
func (d *document) expand(p *Project) diag.Problems {
	repository, missing := substitute(p.Spec.Image.Repository, d.opts.Env)
	p.Spec.Image.Repository = repository
	var problems diag.Problems
	for _, name := range missing {
		problems = append(problems, unsetVariable(p.Position("spec.image.repository"), name))
		p.Spec.Image.Repository = ""
	}
	return problems
}

func substitute(text string, env func(string) (string, bool)) (out string, missing []string) {
	out = reference.ReplaceAllStringFunc(text, func(match string) string {
		groups := reference.FindStringSubmatch(match)
		if env != nil {
			if value, ok := env(groups[1]); ok && value != "" {
				return value
			}
		}
		if strings.Contains(match, ":-") {
			return groups[2]
		}
		missing = append(missing, groups[1])
		return match
	})
	return out, missing
}

func unsetVariable(pos diag.Position, name string) diag.Problem {
	return diag.Problem{
		Code: "unset-variable", Severity: diag.Error, Position: pos,
		Message: fmt.Sprintf("the environment variable %s is not set", name),
		Hint:    fmt.Sprintf("export %s=…, or write ${%s:-default}", name, name),
	}
}

// ExpandProbes returns the declared probes with ${NAME} in their headers replaced. A variable that is
// not set is a problem at its place.
func (p *Project) ExpandProbes(env func(name string) (string, bool)) ([]Probe, diag.Problems) {
	probes := make([]Probe, len(p.Spec.Probes))
	var problems diag.Problems
	for i, probe := range p.Spec.Probes {
		headers := make(map[string]string, len(probe.Headers))
		for name, value := range probe.Headers {
			expanded, missing := substitute(value, env)
			headers[name] = expanded
			for _, variable := range missing {
				at := p.Position(fmt.Sprintf("spec.probes.%d.headers.%s", i, name))
				problems = append(problems, unsetVariable(at, variable))
			}
		}
		probe.Headers = headers
		probes[i] = probe
	}
	return probes, problems
}

// positions finds a path of the spec in the layer that set it last.
func (d *document) positions(roots [][]string) func(string) diag.Position {
	return func(path string) diag.Position {
		names := strings.Split(path, ".")
		if names[0] != "spec" {
			return d.yaml.Position(names...)
		}
		for _, root := range slices.Backward(roots) {
			if full := append(slices.Clone(root), names[1:]...); d.yaml.Has(full...) {
				return d.yaml.Position(full...)
			}
		}
		return d.yaml.Position(names...)
	}
}

func unreadable(file string, err error) diag.Problem {
	p := diag.Problem{Code: "unreadable", Severity: diag.Error, Position: diag.Position{File: file}}
	p.Message = fmt.Sprintf("the file cannot be read: %v", errors.Unwrap(err))
	if errors.Is(err, fs.ErrNotExist) {
		p.Message, p.Hint = "there is no such file", "egk8s init writes one; --file names another"
	}
	return p
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
