// Package migrate reads a folder of Express Gateway and what stands beside it, and tells for everything that it finds
// whether it works on a cluster, to what it is mapped, or what its owner has to do.
package migrate

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"egk8s.dev/egk8s/deployer/project"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/offline"
)

// Verdict is what becomes of one thing that was found.
type Verdict string

// The verdicts, the gravest first.
const (
	NeedsYou Verdict = "needs you"
	Mapped   Verdict = "mapped"
	Better   Verdict = "better than before"
	Works    Verdict = "works"
)

// Finding is one thing that was found. Text goes on from the subject: "policy cors: runs as it is".
type Finding struct {
	Verdict Verdict
	Subject string
	At      string // file:line:column, or a file, relative to the folder that was read; empty: nowhere in particular
	Text    string
}

// Options say how to read a folder.
type Options struct {
	Name string // of the release: the beginning of the names of Secrets
	// Upstreams are the addresses in the cluster that the owner gave, by service endpoint.
	Upstreams map[string]string
	// MoveSecrets puts inline secrets into Env, and references to them into the files.
	MoveSecrets bool
}

// Result is what a folder becomes.
type Result struct {
	Findings []Finding // in the order in which the page shows them
	Found    project.Found
	// Files are those of config/, and with MoveSecrets .env and .gitignore.
	Files []project.NewFile
	// Open are the service endpoints in use that have no address in the cluster yet, sorted.
	Open []offline.Upstream
	// InlineSecrets is how many secrets stand in the files in the clear and can be moved.
	InlineSecrets int
}

// Verdict is the gravest of the findings.
func (r *Result) Verdict() Verdict {
	for _, v := range []Verdict{NeedsYou, Mapped} {
		if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Verdict == v }) {
			return v
		}
	}
	return Works
}

// Read reads the folder of Express Gateway dir: its config folder, or the project around that. It writes nothing there.
func Read(dir string, opts Options) (*Result, error) {
	folder, err := project.GatewayFolder(dir)
	if err != nil {
		return nil, err
	}
	root := rootOf(folder)
	files, err := project.Adopt(folder, root)
	if err != nil {
		return nil, err
	}
	m := &migration{opts: opts, root: root, folder: folder, result: &Result{Files: files}}
	if m.around, err = lookAround(root); err != nil {
		return nil, err
	}
	if err := m.read(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(m.result.Findings, func(a, b Finding) int { return a.Verdict.rank() - b.Verdict.rank() })
	return m.result, nil
}

func (v Verdict) rank() int { return slices.Index([]Verdict{NeedsYou, Mapped, Better, Works}, v) }

// rootOf is the folder that Express Gateway runs in: the one above config, where its generator puts server.js.
func rootOf(folder string) string {
	abs, err := filepath.Abs(folder)
	if err != nil || filepath.Base(abs) != "config" {
		return folder
	}
	return filepath.Dir(abs)
}

// migration is one run of Read.
type migration struct {
	opts   Options
	root   string
	folder string
	around *around
	report *offline.Report
	result *Result
}

func (m *migration) add(v Verdict, subject, at, format string, args ...any) {
	m.result.Findings = append(m.result.Findings, Finding{Verdict: v, Subject: subject, At: at, Text: fmt.Sprintf(format, args...)})
}

// at shows a place in the config folder as seen from the root.
func (m *migration) at(pos diag.Position) string {
	if rel, err := filepath.Rel(abs(m.root), filepath.Join(abs(m.folder), pos.File)); err == nil {
		pos.File = filepath.ToSlash(rel)
	}
	return pos.String()
}

func abs(path string) string {
	if a, err := filepath.Abs(path); err == nil {
		return a
	}
	return path
}

func (m *migration) read() error {
	m.systemConfig()
	m.inlineSecrets()
	m.variables()
	report, err := m.check(offline.Options{Env: m.env(), PodOnly: m.podOnly()})
	if err != nil {
		return err
	}
	m.report = report
	m.listeners()
	m.store()
	m.references()
	m.upstreams()
	m.policies()
	m.surroundings()
	m.probes()
	if err := m.remaining(); err != nil {
		return err
	}
	return m.differences()
}

// check looks at the files as they will be, in a folder of their own.
func (m *migration) check(opts offline.Options) (*offline.Report, error) {
	dir, err := os.MkdirTemp("", "egk8s-init-")
	if err != nil {
		return nil, fmt.Errorf("check the copied files: %w", err)
	}
	defer os.RemoveAll(dir)
	for _, f := range m.result.Files {
		name, ok := strings.CutPrefix(f.Path, "config/")
		if !ok {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, fmt.Errorf("check the copied files: %w", err)
		}
		if err := os.WriteFile(file, f.Data, 0o600); err != nil {
			return nil, fmt.Errorf("check the copied files: %w", err)
		}
	}
	return offline.Check(dir, opts)
}

// remaining are the errors that nothing else tells of: with them the pod would not start.
func (m *migration) remaining() error {
	report, err := m.check(offline.Options{
		Pod: true, Complete: true, Env: m.env(), PodOnly: append(m.podOnly(), m.result.Found.Open...), Files: m.secretFiles(),
		Settings: offline.Settings{Upstreams: m.given(), TLS: m.tlsFiles()},
	})
	if err != nil {
		return err
	}
	told := map[string]bool{}
	for _, p := range report.Problems {
		if p.Severity != diag.Error || told[p.Message] || p.Code == "localhost-upstream" || missingModel(p) {
			continue
		}
		told[p.Message] = true
		subject := "configuration"
		if p.Code == "unknown-policy" {
			subject = "plugin policy"
		}
		text := p.Message
		if p.Suggestion != "" {
			text += fmt.Sprintf(" (did you mean %q?)", p.Suggestion)
		}
		if p.Hint != "" {
			text += ": " + p.Hint
		}
		m.add(NeedsYou, subject, m.at(p.Position), "%s", text)
	}
	return nil
}

// missingModel tells whether a problem is about a model that init writes.
func missingModel(p diag.Problem) bool {
	return p.Code == "missing-file" && strings.HasPrefix(p.File, "models/")
}

// differences are the places that the gateway treats otherwise than Express Gateway.
func (m *migration) differences() error {
	touched, err := offline.Deviations(m.folder)
	if err != nil {
		return err
	}
	for _, d := range touched {
		more := ""
		if n := len(d.At) - 1; n > 0 {
			more = fmt.Sprintf(" (and %d more)", n)
		}
		m.add(Better, d.ID, m.at(d.At[0])+more, "%s", d.Notice)
	}
	return nil
}

// systemConfig gives a folder without system.config.yml one: without it the gateway does not start.
func (m *migration) systemConfig() {
	if slices.ContainsFunc(m.result.Files, func(f project.NewFile) bool { return strings.HasPrefix(f.Path, "config/system.config.") }) {
		return
	}
	m.result.Files = append(m.result.Files, project.NewFile{
		Path: "config/system.config.yml", Data: []byte("db: {redis: {emulate: true}}\n"), Mode: fs.FileMode(0o644),
	})
	m.add(Mapped, "system.config.yml", "", "there was none, and a minimal one is written: consumers come from consumers.yml")
}
