package image_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"egk8s.dev/egk8s/testdata/cluster/internal/image"
)

func TestEqualProgramsMakeEqualImages(t *testing.T) {
	t.Parallel()
	var digests []string
	for range 2 {
		dir := t.TempDir()
		binary := filepath.Join(dir, "program")
		if err := os.WriteFile(binary, []byte("a program"), 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "image.tar")
		if err := image.WriteFile(image.Options{Binary: binary, Name: "x.dev/y:1", User: "7:0"}, file); err != nil {
			t.Fatal(err)
		}
		tag, err := name.NewTag("x.dev/y:1")
		if err != nil {
			t.Fatal(err)
		}
		img, err := tarball.ImageFromPath(file, &tag)
		if err != nil {
			t.Fatal(err)
		}
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Config.User != "7:0" || config.Config.Entrypoint[0] != "/app" || config.OS != "linux" {
			t.Errorf("config is %+v", config.Config)
		}
		digest, err := img.ConfigName()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.String())
	}
	if digests[0] != digests[1] {
		t.Errorf("digests are %v", digests)
	}
}

func TestMissingProgram(t *testing.T) {
	t.Parallel()
	err := image.WriteFile(image.Options{Binary: "/no/such", Name: "x:1"}, filepath.Join(t.TempDir(), "i.tar"))
	if err == nil {
		t.Error("no error")
	}
}
