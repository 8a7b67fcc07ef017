//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTutorial runs the blocks of the tutorial in one shell, as its reader does, but for the build,
// which `make e2e` has done. It brings up a cluster of its own.
func TestTutorial(t *testing.T) {
	text, err := os.ReadFile(root(t, "docs/tutorial/first-gateway.md"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			if !strings.HasPrefix(line, "make ") {
				script.WriteString(line)
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script.String())
	cmd.Dir = root(t, ".")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // the port-forward of a script that stopped half-way
	if err != nil {
		_ = exec.Command(os.Getenv("EGK8S_TEST_EGKUBE"), "down", "--name", "tutorial").Run()
		t.Fatalf("the tutorial fails: %v\n%s", err, out.String())
	}
	for _, want := range []string{"Hello from shop\n401", "Hello again", "GET /hello is answered with another text", "deployed config", "shop unchanged on local", "exit code 3", "✓ healthy"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tutorial does not show %q:\n%s", want, out.String())
		}
	}
}
