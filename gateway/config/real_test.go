package config_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
)

// TestRealConfigs loads the files of real users that EGK8S_REAL_CONFIGS names: OWNER__REPO.gateway.config.yml, and
// the same with system.config.yml. Each loads, or is refused with the place of every error; those that Express
// Gateway 1.16.11 itself refuses are refused, and no others. They are known by their hash, for they are not ours.
func TestRealConfigs(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("EGK8S_REAL_CONFIGS")
	if dir == "" {
		t.Skip("EGK8S_REAL_CONFIGS names no folder of real users' files")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.config.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	refused, err := os.ReadFile(filepath.Join("testdata", "refused-by-the-reference.sha256"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reader := realFile{path: file, as: "gateway.config.yml"}
			if strings.HasSuffix(name, ".system.config.yml") {
				reader.as = "system.config.yml"
			}
			cfg, problems := config.Load(".", config.Options{Files: reader, Catalogue: newTestCatalogue(t)})
			if (cfg == nil) != problems.HasErrors() {
				t.Fatalf("config %v beside %v", cfg, problems)
			}
			for _, p := range problems {
				if p.Line == 0 || p.Column == 0 || p.Message == "" || p.File != reader.as {
					t.Errorf("no place: %+v", p)
				}
			}
			if hash := hashOf(t, file); problems.HasErrors() != strings.Contains(string(refused), hash) {
				t.Errorf("refused: %t, and Express Gateway does the opposite (%s)", problems.HasErrors(), hash)
			}
			read := func(string) ([]byte, error) { return os.ReadFile(file) }
			t.Log("\n" + diag.Text(problems, read, diag.Style{}))
		})
	}
}

func hashOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

// realFile serves one real file under its usual name, and defaults for the others.
type realFile struct{ path, as string }

func (r realFile) ReadFile(name string) ([]byte, error) {
	switch name {
	case r.as:
		return os.ReadFile(r.path)
	case "gateway.config.yml":
		return []byte("policies: []\n"), nil
	}
	text, err := os.ReadFile(filepath.Join("testdata", "defaults", filepath.FromSlash(name)))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return text, nil
}
