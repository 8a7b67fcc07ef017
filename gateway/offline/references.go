package offline

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/policy"
)

// reference is a file that the configuration names.
type reference struct {
	path string
	pos  diag.Position
	what string
	tls  string // the entry of https.tls that it is the key or certificate of
}

// references collects the files that the configuration names and checks that the pod will have them.
func (r *Report) references(dir string, cfg *config.Config, opts Options) {
	for _, ref := range fileReferences(cfg, opts.Settings) {
		if ref.path == "" || strings.Contains(ref.path, "${") {
			continue
		}
		r.References = append(r.References, Reference{
			Path: filepath.ToSlash(filepath.Clean(ref.path)), What: ref.what, TLS: ref.tls, Pos: ref.pos,
		})
		if filepath.IsAbs(ref.path) {
			r.absolute(ref, opts)
			continue
		}
		clean := filepath.ToSlash(filepath.Clean(ref.path))
		if !slices.Contains(opts.Files, clean) && !slices.Contains(opts.Files, ref.path) {
			r.missing(dir, clean, ref)
			r.FileReferences = append(r.FileReferences, clean)
		}
	}
	slices.Sort(r.FileReferences)
	r.FileReferences = slices.Compact(r.FileReferences)
}

func (r *Report) absolute(ref reference, opts Options) {
	if !opts.Pod || slices.Contains(opts.Files, ref.path) {
		return
	}
	r.Problems = append(r.Problems, diag.Problem{
		Code: "absolute-path", Severity: diag.Warning, Position: ref.pos,
		Message: ref.what + " is an absolute path, which the pod may not have",
		Hint:    "put the file into the config folder and name it relative to that, or give it by spec.files of egk8s.yaml",
	})
}

func (r *Report) missing(dir, clean string, ref reference) {
	_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(clean)))
	if err == nil || !errors.Is(err, fs.ErrNotExist) && fs.ValidPath(clean) {
		return
	}
	p := diag.Problem{
		Code: "missing-file", Severity: diag.Error, Position: ref.pos, Message: ref.what + " names " + clean + ", which is not in the config folder",
		Hint: "paths are relative to the config folder; a file that a Secret holds is given by spec.files of egk8s.yaml",
	}
	if inside, ok := strings.CutPrefix(clean, filepath.Base(dir)+"/"); ok {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(inside))); err == nil {
			p.Suggestion = inside
		}
	}
	r.Problems = append(r.Problems, p)
}

// readReference reads a file of the config folder. What the pod gets from elsewhere is not known here.
func readReference(dir, name string) ([]byte, error) {
	if filepath.IsAbs(name) || !fs.ValidPath(filepath.ToSlash(filepath.Clean(name))) {
		return nil, policy.ErrElsewhere
	}
	text, err := os.ReadFile(filepath.Join(dir, filepath.Clean(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, policy.ErrElsewhere // where it must be there, that was reported before
	}
	return text, err
}

func fileReferences(cfg *config.Config, settings Settings) []reference {
	var list []reference
	if cfg.HTTPS != nil {
		for _, c := range cfg.HTTPS.Certificates {
			if _, replaced := settings.TLS[c.Name]; replaced {
				continue
			}
			what := "https.tls." + c.Name
			list = append(list, reference{c.Key, c.Pos, what + ".key", c.Name}, reference{c.Cert, c.Pos, what + ".cert", c.Name})
			for _, ca := range c.CA {
				list = append(list, reference{ca, c.Pos, what + ".ca", ""})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.ServiceEndpoints)) {
		s := cfg.ServiceEndpoints[name]
		list = append(list, targetFiles(s.ProxyOptions, s.Pos, "service endpoint "+name)...)
	}
	for _, p := range cfg.Pipelines {
		for _, s := range p.Steps {
			list = append(list, stepFiles(s)...)
		}
	}
	return append(list, systemFiles(cfg.System.Raw)...)
}

func stepFiles(s config.Step) []reference {
	what := "policy " + s.Policy
	list := targetFiles(s.Action, s.Pos, what)
	if options, ok := s.Action["proxyOptions"].(map[string]any); ok {
		list = append(list, targetFiles(options, s.Pos, what)...)
	}
	jwt := s.Action
	if nested, ok := s.Action["jwt"].(map[string]any); ok && s.Policy == "oauth2" {
		jwt = nested
	}
	if file, ok := jwt["secretOrPublicKeyFile"].(string); ok {
		list = append(list, reference{file, s.Pos, what + ": secretOrPublicKeyFile", ""})
	}
	return list
}

// targetFiles finds the client certificate and CA of proxy options.
func targetFiles(options map[string]any, pos diag.Position, what string) []reference {
	target, _ := options["target"].(map[string]any)
	return namedFiles(target, []string{"keyFile", "certFile", "caFile"}, pos, what)
}

func systemFiles(raw map[string]any) []reference {
	pos := diag.Position{File: "system.config.yml"}
	db, _ := raw["db"].(map[string]any)
	redis, _ := db["redis"].(map[string]any)
	var list []reference
	if emulate, _ := redis["emulate"].(bool); !emulate {
		tls, _ := redis["tls"].(map[string]any)
		list = namedFiles(tls, []string{"keyFile", "certFile", "caFile"}, pos, "db.redis.tls")
	}
	tokens, _ := raw["accessTokens"].(map[string]any)
	return append(list, namedFiles(tokens, []string{"secretOrPrivateKeyFile"}, pos, "accessTokens")...)
}

func namedFiles(m map[string]any, keys []string, pos diag.Position, what string) []reference {
	var list []reference
	for _, key := range keys {
		if file, ok := m[key].(string); ok {
			list = append(list, reference{file, pos, what + ": " + key, ""})
		}
	}
	return list
}
