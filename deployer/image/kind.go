package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// LoadOptions are the choices of LoadKind.
type LoadOptions struct {
	Cluster   string         // name of the kind cluster: the context without "kind-"
	Reference string         // repository:tag under which the nodes know it
	Platform  string         // of the nodes; empty: asked from each
	Progress  func(Progress) // may be nil; one Item per node
}

// LoadKind imports the image into every node of a kind cluster through the docker program, as an
// archive of exactly the node's platform. A node that has the reference is left alone: its tag is a
// prefix of the digest. Errors are *Error.
func (i *Image) LoadKind(ctx context.Context, opts LoadOptions) error {
	if opts.Progress == nil {
		opts.Progress = func(Progress) {}
	}
	fail := func(where string, err error, hint string) error {
		if ctx.Err() != nil {
			err, hint = ctx.Err(), ""
		}
		return &Error{Verb: "load", Image: opts.Reference, Where: where, Err: err, Hint: hint}
	}
	if _, err := exec.LookPath("docker"); err != nil {
		return fail("kind cluster "+opts.Cluster, errors.New("the docker program is not there"),
			"kind's nodes are docker containers; or push to a registry: image.repository in egk8s.yaml")
	}
	nodes, err := kindNodes(ctx, opts.Cluster)
	if err != nil {
		return fail("kind cluster "+opts.Cluster, err, "does docker ps work here?")
	}
	if len(nodes) == 0 {
		return fail("kind cluster "+opts.Cluster, errors.New("no node of that cluster runs here"), "kind get clusters lists them")
	}
	for _, node := range nodes {
		if err := i.loadNode(ctx, node, opts); err != nil {
			return fail("node "+node, err, "")
		}
	}
	return nil
}

func kindNodes(ctx context.Context, cluster string) ([]string, error) {
	const format = `{{.Names}} {{.Label "io.x-k8s.kind.role"}}`
	out, err := docker(ctx, nil, "ps", "--filter", "label=io.x-k8s.kind.cluster="+cluster, "--format", format)
	if err != nil {
		return nil, err
	}
	var nodes []string
	for line := range strings.Lines(out) {
		node, role, _ := strings.Cut(strings.TrimSpace(line), " ")
		if node != "" && role != "external-load-balancer" {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	return nodes, nil
}

func (i *Image) loadNode(ctx context.Context, node string, opts LoadOptions) error {
	platform := opts.Platform
	if platform == "" {
		machine, err := docker(ctx, nil, "exec", node, "uname", "-m")
		if err != nil {
			return err
		}
		platform = map[string]string{"x86_64": "linux/amd64", "aarch64": "linux/arm64"}[strings.TrimSpace(machine)]
	}
	if _, err := i.platform("load", platform); err != nil {
		return err
	}
	known, err := docker(ctx, nil, "exec", node, "ctr", "--namespace=k8s.io", "images", "ls", "-q", "name=="+opts.Reference)
	if err == nil && strings.TrimSpace(known) == opts.Reference {
		opts.Progress(Progress{Item: node, Exists: true})
		return nil
	}
	size := i.layers[platform].size
	reader, writer := io.Pipe()
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		_ = writer.CloseWithError(i.SaveArchive(writer, platform, opts.Reference)) // the reader gets the error
	}()
	input := &countingReader{ReadCloser: reader, report: func(done int64) {
		opts.Progress(Progress{Item: node, Done: min(done, size), Total: size})
	}}
	_, err = docker(ctx, input, importCommand(ctx, node)...)
	_ = reader.CloseWithError(io.ErrClosedPipe) // lets the writer end when docker stopped reading
	<-saved
	return err
}

var snapshotter = regexp.MustCompile(`(?m)^\s*snapshotter = ['"]([a-z0-9-]+)['"]`)

// importCommand names the node's snapshotter when it is not containerd's default, as kind does.
func importCommand(ctx context.Context, node string) []string {
	command := []string{"exec", "-i", node, "ctr", "--namespace=k8s.io", "images", "import", "--all-platforms"}
	if config, err := docker(ctx, nil, "exec", node, "containerd", "config", "dump"); err == nil {
		if found := snapshotter.FindStringSubmatch(config); found != nil {
			command = append(command, "--snapshotter="+found[1])
		}
	}
	return append(command, "-")
}

// docker runs the docker program; an error carries what it said.
func docker(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...) //nolint:gosec // no shell; the names come from docker itself
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &said
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(said.String())
		if text == "" {
			return "", fmt.Errorf("docker %s: %w", args[0], err)
		}
		return "", fmt.Errorf("docker %s: %s", args[0], text)
	}
	return out.String(), nil
}
