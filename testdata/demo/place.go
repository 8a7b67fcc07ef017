package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// namespace is where the demo lives in every cluster.
const namespace = "egk8s-demo"

// place is the cluster that the demo uses.
type place struct {
	cloud      string // profile name; empty: let egk8s detect it
	context    string // empty: the kubeconfig's current one
	kubeconfig string // empty: the user's own
	kind       string // name of the kind cluster that the demo made; empty: none
	own        bool   // the local cluster is the demo's to take down
	repository string
}

// findPlace takes the context that was named, else the local cluster where root can be had, else kind.
// It never takes a context that merely happens to be current.
func findPlace(ctx context.Context, contextName string) (*place, error) {
	if contextName != "" {
		fmt.Printf("using the context %q, as asked\n", contextName)
		return &place{context: contextName}, nil
	}
	if os.Geteuid() == 0 || command(ctx, "sudo", "-n", "true").Run() == nil {
		return localPlace(ctx)
	}
	if command(ctx, "docker", "info").Run() == nil && command(ctx, "kind", "version").Run() == nil {
		return kindPlace(ctx)
	}
	return nil, errors.New(`no cluster to deploy to: the local one needs root (or sudo without a password), and kind needs docker and the kind program.
  as root:                   sudo make demo
  with a cluster you have:   make demo CONTEXT=name     (kubectl config get-contexts)`)
}

func localPlace(ctx context.Context) (*place, error) {
	if err := visible(ctx, egkube(), "up"); err != nil {
		return nil, fmt.Errorf("bring the local cluster up: %w", err)
	}
	out, err := command(ctx, egkube(), "kubeconfig").Output()
	if err != nil {
		return nil, fmt.Errorf("ask for the local cluster's kubeconfig: %w", err)
	}
	return &place{cloud: "local", kubeconfig: strings.TrimSpace(string(out)), own: true}, nil
}

func kindPlace(ctx context.Context) (*place, error) {
	const name = "egk8s-demo"
	out, err := command(ctx, "kind", "get", "clusters").Output()
	if err != nil {
		return nil, fmt.Errorf("list kind clusters: %w", err)
	}
	if !strings.Contains("\n"+string(out), "\n"+name+"\n") {
		if err := visible(ctx, "kind", "create", "cluster", "--name", name, "--wait", "2m"); err != nil {
			return nil, fmt.Errorf("create a kind cluster: %w", err)
		}
	}
	return &place{cloud: "kind", context: "kind-" + name, kind: name}, nil
}

// farewell says how to look around and how to clean up.
func (p *place) farewell() {
	target := ""
	if p.kubeconfig != "" {
		target = " --kubeconfig " + p.kubeconfig
	}
	if p.context != "" {
		target += " --context " + p.context
	}
	target += " -n " + namespace
	fmt.Printf("  bin/egk8s status -f testdata/demo/project/egk8s.yaml%s\n", target)
	fmt.Printf("  bin/egk8s status --watch -f testdata/demo/project/egk8s.yaml%s\n", target)
	switch {
	case p.own:
		fmt.Println("  make cluster-down")
	case p.kind != "":
		fmt.Println("  kind delete cluster --name " + p.kind)
	default:
		fmt.Printf("  kubectl --context %s delete namespace %s\n", p.context, namespace)
	}
}

func egkube() string { return filepath.Join("bin", "egkube") }

func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...)
}

// visible runs a command whose output the user should see.
func visible(ctx context.Context, name string, args ...string) error {
	cmd := command(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
