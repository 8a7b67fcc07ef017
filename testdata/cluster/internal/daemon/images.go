package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"egk8s.dev/egk8s/testdata/cluster/internal/component"
	"egk8s.dev/egk8s/testdata/cluster/internal/sandbox"
)

// firstImages puts the cluster's own images into every node.
func (d *daemon) firstImages(ctx context.Context) error {
	for _, name := range []string{"pause", "coredns"} {
		if _, err := d.importAll(ctx, filepath.Join(d.spec.Build, name+".tar")); err != nil {
			return err
		}
	}
	return nil
}

// load imports an image archive, as a stream, into every node.
func (d *daemon) load(ctx context.Context, archive io.Reader) (string, error) {
	if len(d.nodes) == 0 {
		return "", errNoNodes
	}
	file, err := os.CreateTemp(d.cluster.Data(), "load-*.tar")
	if err != nil {
		return "", fmt.Errorf("load image: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = io.Copy(file, archive)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("load image: %w", err)
	}
	return d.importAll(ctx, file.Name())
}

// importAll imports an archive into every node and says what the runtimes said.
func (d *daemon) importAll(ctx context.Context, archive string) (string, error) {
	notes := make([]string, len(d.nodes))
	all, ctx := errgroup.WithContext(ctx)
	for i, n := range d.nodes {
		all.Go(func() (err error) {
			notes[i], err = d.importInto(ctx, n, archive)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return "", err
	}
	return strings.Join(notes, "\n"), nil
}

func (d *daemon) importInto(ctx context.Context, n *node, archive string) (string, error) {
	socket := filepath.Join("/proc", strconv.Itoa(n.box.pid), "root", component.RuntimeSocket)
	target := sandbox.Target{Network: "unix", Address: socket}
	if err := target.Wait(ctx); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, d.tool("ctr"), "--address", socket, "--namespace", "k8s.io", "images", "import",
		"--snapshotter", n.Snapshotter, archive)
	cmd.Env = append(os.Environ(), d.toolEnvironment()...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	text := strings.TrimSpace(out.String())
	if err != nil {
		return "", fmt.Errorf("import image into node %s: %w: %s", n.Name, err, text)
	}
	return n.Name + ": " + text, nil
}
