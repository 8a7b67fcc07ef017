package config_test

import (
	"os"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
)

// digested is a folder that names its content, as the files of a manifest do.
type digested struct{ config.FileReader }

func (digested) ReadFile(path string) ([]byte, error) {
	if path == "gateway.config.yml" {
		return []byte("http: {port: 8080}\n"), nil
	}
	return nil, os.ErrNotExist
}

func (digested) Digest() string { return "abc" }

// TestDigestOfGivenFiles: a gateway that opened the manifest itself still knows what it has loaded;
// without it no pod would ever become ready.
func TestDigestOfGivenFiles(t *testing.T) {
	t.Parallel()
	cfg, problems := config.Inspect(t.TempDir(), config.Options{Files: digested{}})
	if cfg.Digest != "abc" {
		t.Errorf("digest %q; problems %v", cfg.Digest, problems)
	}
}
