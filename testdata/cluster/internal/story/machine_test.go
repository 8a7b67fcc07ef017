//go:build root || controlplane

package story_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/cgroup"
	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/process"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// machine runs egkube and looks at what it leaves behind.
type machine struct {
	t       *testing.T
	program string
	cache   layout.Cache
	links   string
	// trial is the program in the pods.
	trial string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, program: filepath.Join(t.TempDir(), "egkube")}
	build(t, "../../egkube", m.program)
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	if m.cache, err = layout.DefaultCache(os.Getenv, home); err != nil {
		t.Fatal(err)
	}
	m.links = links(t)
	m.egkube("build")
	return m
}

func build(t *testing.T, pkg, file string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", file, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
}

// egkube runs a command that must succeed and returns all that it says.
func (m *machine) egkube(args ...string) string {
	m.t.Helper()
	began := time.Now()
	out, err := exec.Command(m.program, args...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("egkube %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	m.t.Logf("egkube %s: %.1f s\n%s", strings.Join(args, " "), time.Since(began).Seconds(), out)
	return string(out)
}

// begin starts a command in the background.
func (m *machine) begin(args ...string) *exec.Cmd {
	m.t.Helper()
	cmd := exec.Command(m.program, args...)
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	return cmd
}

// state is what a cluster's daemon says, nil when there is none.
func (m *machine) state(name string) *state.State {
	m.t.Helper()
	s, err := state.Read(m.cache.Cluster(name).State())
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

// kubectl runs kubectl on a cluster, and must succeed within the limit.
func (m *machine) kubectl(name string, args ...string) string {
	m.t.Helper()
	out, err := m.tryKubectl(name, args...)
	if err != nil {
		m.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (m *machine) tryKubectl(name string, args ...string) (string, error) {
	m.t.Helper()
	s := m.state(name)
	if s == nil {
		m.t.Fatalf("there is no cluster %s", name)
	}
	cmd := exec.Command(filepath.Join(s.Build, "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+m.cache.Cluster(name).Kubeconfig())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// kill ends a cluster's daemon as a crash would, and waits for what dies with it.
func (m *machine) kill(name string) {
	m.t.Helper()
	s := m.state(name)
	if s == nil || !s.Running() {
		m.t.Fatalf("cluster %s has no daemon to kill", name)
	}
	if err := syscall.Kill(s.Daemon.PID, syscall.SIGKILL); err != nil {
		m.t.Fatal(err)
	}
	m.eventually("every process dies with the daemon", func() bool {
		return len(process.WithEnvironment(m.cache.Cluster(name).Marker())) == 0
	})
}

func (m *machine) eventually(what string, test func() bool) {
	m.t.Helper()
	end := time.Now().Add(20 * time.Second)
	for !test() {
		if time.Now().After(end) {
			m.t.Fatalf("%s: not within 20 s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// nothingLeft fails the test if anything of a cluster is still there.
func (m *machine) nothingLeft(name string) {
	m.t.Helper()
	c := m.cache.Cluster(name)
	if left := process.WithEnvironment(c.Marker()); len(left) > 0 {
		m.t.Errorf("processes are left: %v", left)
	}
	for _, path := range []string{c.Dir, c.Lock()} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			m.t.Errorf("%s is left (%v)", path, err)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		m.t.Fatal(err)
	}
	if strings.Contains(string(mounts), c.Dir) {
		m.t.Error("a mount is left")
	}
	all, err := cgroup.Machine()
	if err != nil {
		m.t.Fatal(err)
	}
	for _, h := range all {
		if _, err := os.Stat(filepath.Join(h.Dir, "egkube", c.ID())); err == nil {
			m.t.Errorf("a control group is left in %s", h.Dir)
		}
	}
	if now := links(m.t); now != m.links {
		m.t.Errorf("the machine's network was %s and is %s", m.links, now)
	}
}

// links are the machine's own network interfaces with their addresses.
func links(t *testing.T) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, i := range all {
		addresses, err := i.Addrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addresses {
			seen[i.Name] += " " + a.String()
		}
	}
	text, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
