//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMain puts the image of the backends on the nodes, once for all stories.
func TestMain(m *testing.M) {
	if err := loadEcho(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func loadEcho() error {
	dir, err := os.MkdirTemp("", "egk8s-e2e")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	egkube, cluster := os.Getenv("EGK8S_TEST_EGKUBE"), os.Getenv("EGK8S_TEST_CLUSTER")
	if egkube == "" || cluster == "" {
		return errors.New("EGK8S_TEST_EGKUBE and EGK8S_TEST_CLUSTER are not set: run `make e2e`")
	}
	binary, archive := filepath.Join(dir, "echo"), filepath.Join(dir, "echo.tar")
	for _, args := range [][]string{
		{"go", "build", "-ldflags", "-s -w", "-o", binary, "egk8s.dev/egk8s/testdata/echo"},
		{egkube, "image", "--binary", binary, "--name", echoImage, "-o", archive},
		{egkube, "load", "--name", cluster, archive},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", args, err, out)
		}
	}
	return nil
}
