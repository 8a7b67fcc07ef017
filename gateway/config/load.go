package config

import (
	"egk8s.dev/egk8s/gateway/diag"
)

// Options tell Load what surrounds the files.
type Options struct {
	// Lookup answers the value of an environment variable; nil: none is set.
	Lookup func(name string) (string, bool)
	// Outside is true when the files are read outside of the pod that they are for: a ${NAME} that
	// Lookup does not know and that has no default is then unknown, not unset, and what it stands for is not checked.
	Outside bool
	// Unset tells, when Outside is true, of a name that it is known to be unset in the pod. nil: of none.
	Unset func(name string) bool
	// Catalogue is what the gateway knows.
	Catalogue Catalogue
	// Files reads the files; nil: dir. See manifest.Files.
	Files FileReader
	// Settings are applied to what the files say; nil: egk8s.settings.json when dir has one.
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
	_ = dir
	_ = opts
	return nil, diag.Problems{{Code: "not-built", Severity: diag.Error, Message: "the loader is not built yet"}}
}
