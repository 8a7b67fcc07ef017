package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// shop is the project that the demo deploys: a copy of testdata/demo/project.
type shop struct {
	place *place
	dir   string
	key   string // keyId:keySecret of alice
}

func newProject(ctx context.Context, p *place) (*shop, error) {
	dir, err := os.MkdirTemp("", "egk8s-shop")
	if err != nil {
		return nil, err
	}
	s := &shop{place: p, dir: filepath.Join(dir, "shop")}
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join("testdata", "demo", "project"))); err != nil {
		return nil, err
	}
	cmd := command(ctx, egk8s(), "credentials", "new", "--consumer", "alice", "-o", "json", "-f", s.file())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	var credential struct{ KeyID, KeySecret string }
	if err := json.Unmarshal(out, &credential); err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	s.key = credential.KeyID + ":" + credential.KeySecret
	fmt.Printf("  the key of alice is %s; the project keeps its hash\n", s.key)
	return s, nil
}

func (s *shop) deploy(ctx context.Context) error {
	args := append([]string{"deploy", "-f", s.file()}, s.target()...)
	if s.place.cloud != "" {
		args = append(args, "--cloud", s.place.cloud)
	}
	if s.place.repository != "" {
		args = append(args, "--repository", s.place.repository+"/egk8s-gateway")
	}
	fmt.Println("  $ egk8s", strings.Join(args, " "))
	return visible(ctx, egk8s(), args...)
}

// target names the cluster and the namespace for a command of egk8s.
func (s *shop) target() []string {
	args := []string{"--namespace", namespace}
	if s.place.kubeconfig != "" {
		args = append(args, "--kubeconfig", s.place.kubeconfig)
	}
	if s.place.context != "" {
		args = append(args, "--context", s.place.context)
	}
	return args
}

// retireLegacy replaces what answers /v1: from the orders service to 410 Gone.
func (s *shop) retireLegacy() error {
	file := filepath.Join(s.dir, "config", "gateway.config.yml")
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, _, found := strings.Cut(string(raw), "  legacy:\n    apiEndpoints: [legacy]")
	if !found {
		return fmt.Errorf("%s has no pipeline legacy", file)
	}
	gone := "  legacy:\n    apiEndpoints: [legacy]\n    policies:\n      - terminate:\n          action: {statusCode: 410, message: use /orders}\n"
	fmt.Print(indent(gone))
	return os.WriteFile(file, []byte(head+gone), 0o600)
}

func (s *shop) file() string { return filepath.Join(s.dir, "egk8s.yaml") }

func (s *shop) remove() { _ = os.RemoveAll(filepath.Dir(s.dir)) }

func egk8s() string { return filepath.Join("bin", "egk8s") }

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
