package config

import (
	"egk8s.dev/egk8s/gateway/config/manifest"
	"egk8s.dev/egk8s/gateway/config/schema"
	"egk8s.dev/egk8s/gateway/diag"
)

// Options tell Load what surrounds the files.
type Options struct {
	// Lookup answers the value of an environment variable; nil: none is set.
	Lookup func(name string) (string, bool)
	// Outside is true when the files are read outside of the pod that they are for: a ${NAME} that
	// Lookup does not know and that has no default is then unknown, not unset, and what it stands for is not checked.
	Outside bool
	// PodOnly tells, when Outside is true, of a name that the pod has a value for, though it is not known here,
	// so that a default does not stand in for it. nil: of none.
	PodOnly func(name string) bool
	// Unset tells, when Outside is true, of a name that it is known to be unset in the pod. nil: of none.
	Unset func(name string) bool
	// Catalogue is what the gateway knows.
	Catalogue Catalogue
	// RequireBuilt makes a pipeline's policy or condition that is known but not built an error.
	RequireBuilt bool
	// Files reads the files; nil: those of the manifest when dir has one, else those of dir. One that has a
	// method Digest() string names the Config by it.
	Files FileReader
	// Settings are applied to what the files say; nil: egk8s.settings.json when there is one.
	Settings *Settings
}

// FileReader reads one file of the configuration by its slash-separated path. A missing file is fs.ErrNotExist.
type FileReader interface {
	ReadFile(path string) ([]byte, error)
}

// Load reads gateway.config.yml, system.config.yml and models/*.json of dir as Express Gateway 1.16.11 does.
// It reports all problems at once, sorted, with positions in the files as written; the Config is nil
// when one of them is an error. Messages never hold the value of a variable.
func Load(dir string, opts Options) (*Config, diag.Problems) {
	cfg, problems := Inspect(dir, opts)
	if problems.HasErrors() {
		return nil, problems
	}
	return cfg, problems
}

// Inspect is Load for a look at files that need not be right: the Config holds what could be read, also beside errors.
// It is never nil and not fit to run.
func Inspect(dir string, opts Options) (*Config, diag.Problems) {
	l := &loader{opts: opts, files: opts.Files, cfg: &Config{ServiceEndpoints: map[string]ServiceEndpoint{}}}
	if l.files == nil {
		l.openDir(dir)
	} else if listed, ok := l.files.(interface{ Digest() string }); ok {
		l.cfg.Digest = listed.Digest()
	}
	if l.files != nil {
		l.load()
	}
	l.mask()
	l.problems.Sort()
	return l.cfg, l.problems
}

// loader collects one Config and all that is wrong with it.
type loader struct {
	opts     Options
	files    FileReader
	cfg      *Config
	problems diag.Problems

	unbuilt   []unbuilt
	settings  *Settings
	values    map[string]string // of the variables that the files refer to
	endpoints map[string]string // apiEndpoint name -> pipeline that serves it
	unrouted  bool              // there are no pipelines
	schemas   map[string]*schema.Schema
}

// openDir chooses the reader: listed files only, once egk8s made the folder.
func (l *loader) openDir(dir string) {
	if !manifest.Exists(dir) {
		l.files = dirReader(dir)
		return
	}
	files, err := manifest.Open(dir)
	if err != nil {
		l.problems = append(l.problems, diag.Problem{
			Code: "manifest", Severity: diag.Error, Position: diag.Position{File: manifest.Name}, Message: err.Error(),
		})
		return
	}
	l.files, l.cfg.Digest = files, files.Digest()
}

func (l *loader) load() {
	l.loadSettings()
	l.loadModels()
	if t := l.read("system.config"); t != nil {
		l.system(t)
	}
	if t := l.read("gateway.config"); t != nil {
		l.gateway(t)
	}
}

// gateway reads the parts of the gateway file in the order in which Express Gateway looks at them.
func (l *loader) gateway(t *tree) {
	l.cfg.Raw, _ = t.value.(map[string]any)
	l.listeners(t)
	l.serviceEndpoints(t)
	l.whitelist(t)
	l.apiEndpoints(t)
	l.pipelines(t)
	l.checkEndpointUse()
	l.dropUnreachable()
	l.reportUnbuilt()
	l.applySettings()
}
