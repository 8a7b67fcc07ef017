package process_test

import (
	"os/exec"
	"testing"

	"egk8s.dev/egk8s/testdata/cluster/internal/process"
)

func TestAlive(t *testing.T) {
	t.Parallel()
	self, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	if !self.Alive() {
		t.Error("this process is not alive")
	}
	other := self
	other.Start--
	if other.Alive() {
		t.Error("another process with this number is alive")
	}
	if (process.ID{}).Alive() {
		t.Error("no process is alive")
	}
}

func TestWithEnvironment(t *testing.T) {
	t.Parallel()
	const entry = "EGKUBE_PROCESS_TEST=one two"
	cmd := exec.Command("sleep", "60")
	cmd.Env = []string{"A=B", entry}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := process.WithEnvironment(entry)
	if len(found) != 1 || found[0].PID != cmd.Process.Pid {
		t.Errorf("found %v, want process %d", found, cmd.Process.Pid)
	}
	if got := process.WithEnvironment("EGKUBE_PROCESS_TEST=one"); len(got) != 0 {
		t.Errorf("a beginning of the value found %v", got)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Killed and not waited for, it is a zombie, which counts as gone.
	for len(process.WithEnvironment(entry)) > 0 {
	}
	if len(found) > 0 && found[0].Alive() {
		t.Error("a zombie is alive")
	}
	_ = cmd.Wait()
}
