//go:build api

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScriptsOnAPIServer runs the real command line against a real API server without nodes: pods are made
// there and never start.
func TestScriptsOnAPIServer(t *testing.T) {
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		t.Fatal("KUBECONFIG names no API server: run make test-api")
	}
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "api"),
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("KUBECONFIG", kubeconfig)
			env.Setenv("NAMESPACE", fmt.Sprintf("cli-%x", time.Now().UnixNano()))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}
