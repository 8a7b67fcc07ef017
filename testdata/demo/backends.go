package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
)

//go:embed backends.yaml
var backendsYAML string

// deployBackends puts the Services behind the gateway into the cluster and waits until they are ready.
func (p *place) deployBackends(ctx context.Context) error {
	client, err := cluster.Connect(cluster.Config{Kubeconfig: p.kubeconfig, Context: p.context, UserAgent: "egk8s-demo"})
	if err != nil {
		return err
	}
	image, err := p.deliverEcho(ctx, client)
	if err != nil {
		return err
	}
	text := strings.NewReplacer("IMAGE", image, "NAMESPACE", namespace).Replace(backendsYAML)
	for _, doc := range strings.Split(text, "\n---\n") {
		var obj unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(doc), &obj.Object); err != nil {
			return fmt.Errorf("read backends.yaml: %w", err)
		}
		if _, err := client.Apply(ctx, &obj, cluster.ApplyOptions{}); err != nil {
			return err
		}
	}
	return waitForBackends(ctx, client)
}

func waitForBackends(ctx context.Context, client *cluster.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, name := range []string{"customers-a", "customers-b", "orders"} {
		ref := object.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: namespace, Name: name}
		for {
			obj, err := client.Get(ctx, ref)
			if err != nil {
				return err
			}
			if ready, _, _ := unstructured.NestedInt64(obj.Object, "status", "readyReplicas"); ready > 0 {
				fmt.Printf("  %s is ready\n", name)
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("deployment %s is not ready: %w", name, ctx.Err())
			case <-time.After(300 * time.Millisecond):
			}
		}
	}
	return nil
}

// deliverEcho brings the image of the Services to where the cluster finds it and returns its reference.
func (p *place) deliverEcho(ctx context.Context, client *cluster.Client) (string, error) {
	dir, err := os.MkdirTemp("", "egk8s-demo")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	repository := p.repository
	if repository == "" {
		facts, err := client.Facts(ctx)
		if err != nil {
			return "", err
		}
		if facts.Registry != nil {
			repository = facts.Registry.Host
		}
	}
	archive := filepath.Join(dir, "echo.tar")
	reference := "egk8s.dev/echo:demo"
	if repository != "" {
		reference = repository + "/egk8s-demo-echo:demo"
	}
	if err := buildEcho(ctx, dir, reference, archive); err != nil {
		return "", err
	}
	switch {
	case repository != "":
		return reference, push(ctx, archive, reference)
	case p.kind != "":
		return reference, visible(ctx, "kind", "load", "image-archive", "--name", p.kind, archive)
	default:
		return "", errors.New("the cluster announces no registry: name one that you can push to, with make demo CONTEXT=… REPOSITORY=registry.example.com/team")
	}
}

func buildEcho(ctx context.Context, dir, reference, archive string) error {
	binary := filepath.Join(dir, "echo")
	build := command(ctx, "go", "build", "-ldflags", "-s -w", "-o", binary, "./testdata/echo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the echo service: %w\n%s", err, out)
	}
	if out, err := command(ctx, egkube(), "image", "--binary", binary, "--name", reference, "-o", archive).CombinedOutput(); err != nil {
		return fmt.Errorf("pack the echo service: %w\n%s", err, out)
	}
	return nil
}

func push(ctx context.Context, archive, reference string) error {
	ref, err := name.NewTag(reference)
	if err != nil {
		return err
	}
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return err
	}
	return remote.Write(ref, image, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
}
