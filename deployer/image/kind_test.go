package image_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"egk8s.dev/egk8s/deployer/image"
)

// fakeDocker answers as docker does for a kind cluster "dev" of two nodes, one of which has the image,
// and keeps what is imported.
const fakeDocker = `#!/bin/sh
echo "$*" >> "$DOCKER_LOG"
case "$*" in
"ps --filter label=io.x-k8s.kind.cluster=dev "*) printf 'dev-worker worker\ndev-control-plane control-plane\ndev-external external-load-balancer\n' ;;
"ps "*) ;;
*"uname -m") echo x86_64 ;;
"exec dev-worker ctr "*"images ls"*) echo "$HAS" ;;
*"images ls"*) ;;
*"config dump") printf '    snapshotter = "overlayfs"\n      snapshotter = "native"\n' ;;
*"images import"*) [ -z "$BROKEN" ] || { echo "ctr: no space left on device" >&2; exit 1; }; cat > "$DOCKER_LOG.tar" ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
`

func TestLoadKind(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	writeTestFile(t, filepath.Join(bin, "docker"), fakeDocker, 0o700)
	img := newTestImage(t)
	reference := img.Reference("", false)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("DOCKER_LOG", filepath.Join(dir, "log"))
	t.Setenv("HAS", reference)
	last := map[string]image.Progress{}
	opts := image.LoadOptions{Cluster: "dev", Reference: reference, Progress: func(p image.Progress) { last[p.Item] = p }}
	if err := img.LoadKind(context.Background(), opts); err != nil {
		t.Fatal(err)
	}
	if p := last["dev-control-plane"]; p.Exists || p.Total == 0 || p.Done != p.Total {
		t.Errorf("%+v", p)
	}
	if !last["dev-worker"].Exists || len(last) != 2 {
		t.Errorf("%+v", last)
	}
	archive, err := os.ReadFile(filepath.Join(dir, "log.tar"))
	if err != nil {
		t.Fatal(err)
	}
	back, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if name, _ := back.ConfigName(); !img.Matches(name.String()) {
		t.Errorf("imported config %s", name)
	}
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "import") {
			imports = append(imports, strings.TrimSpace(line))
		}
	}
	want := []string{"exec -i dev-control-plane ctr --namespace=k8s.io images import --all-platforms --snapshotter=overlayfs -"}
	if diff := cmp.Diff(want, imports); diff != "" {
		t.Error(diff)
	}

	t.Setenv("BROKEN", "1")
	err = img.LoadKind(context.Background(), opts)
	var typed *image.Error
	if !errors.As(err, &typed) || typed.Where != "node dev-control-plane" || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("import that fails: %v", err)
	}
	opts.Cluster = "other"
	if err = img.LoadKind(context.Background(), opts); !errors.As(err, &typed) || !strings.Contains(typed.Hint, "kind get clusters") {
		t.Errorf("no such cluster: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if err = img.LoadKind(context.Background(), opts); !errors.As(err, &typed) || !strings.Contains(err.Error(), "docker program is not there") {
		t.Errorf("no docker: %v", err)
	}
}
