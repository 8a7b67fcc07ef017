//go:build controlplane

package story_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestControlPlane is the story of a control plane without nodes, which any user
// can run.
func TestControlPlane(t *testing.T) {
	m := newMachine(t)
	const name = "story-plane"
	m.egkube("down", "--name", name)

	first := m.begin("up", "--nodes", "0", "--name", name)
	m.eventually("the daemon runs", func() bool { return m.state(name).Running() })
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	m.kill(name)

	m.egkube("up", "--nodes", "0", "--name", name)
	if out := m.egkube("up", "--nodes", "0", "--name", name); !strings.Contains(out, "up already") {
		t.Errorf("the second up says %q", out)
	}
	if out := m.kubectl(name, "version"); !strings.Contains(out, "Server Version: v1.37.1") {
		t.Errorf("version is %q", out)
	}
	m.kubectl(name, "create", "configmap", "seen", "--from-literal=a=b")
	if out, err := exec.Command(m.program, "up", "--nodes", "1", "--name", name).CombinedOutput(); err == nil {
		t.Errorf("another number of nodes is accepted: %s", out)
	}
	m.egkube("down", "--name", name)
	m.nothingLeft(name)
}

// TestRun checks the promises of run: the command's exit code, and no cluster
// after it, however it ended.
func TestRun(t *testing.T) {
	m := newMachine(t)
	const name = "story-run"
	run := func(script string) *exec.Cmd {
		return exec.Command(m.program, "run", "--nodes", "0", "--name", name, "--", "sh", "-c", script)
	}
	out, err := run(`$EGK8S_TEST_KUBECTL get namespace default -o name && $EGK8S_TEST_EGKUBE status && exit 7`).CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 7 || !strings.Contains(string(out), "namespace/default") ||
		!strings.Contains(string(out), "cluster story-run: ready") {
		t.Fatalf("got %v\n%s", err, out)
	}
	m.nothingLeft(name)

	killed := run("sleep 60")
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	m.eventually("the cluster is ready", func() bool {
		s := m.state(name)
		return s.Running() && s.Phase == "ready"
	})
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	daemon := m.state(name)
	m.eventually("the daemon ends with run", func() bool { return !daemon.Running() })
	m.egkube("down", "--name", name)
	time.Sleep(100 * time.Millisecond)
	m.nothingLeft(name)
}
