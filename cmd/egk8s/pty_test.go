//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// screen is a program in a pseudo-terminal that answers nothing.
type screen struct {
	cmd  *exec.Cmd
	tty  *os.File
	mu   sync.Mutex
	seen bytes.Buffer
	done chan struct{}
	// before are the modes of the terminal before the program started.
	before string
}

func newTestScreen(t *testing.T, size *pty.Winsize, env []string, args ...string) *screen {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// testscript.Main runs the command whose name the program is started under.
	link := filepath.Join(t.TempDir(), "egk8s")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	s := &screen{cmd: exec.Command(link, args...), done: make(chan struct{})}
	s.cmd.Dir = t.TempDir()
	s.cmd.Env = append([]string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8"}, env...)
	tty, err := openTerminal(s, size)
	if err != nil {
		t.Fatal(err)
	}
	s.before = s.modes(t)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tty.Close()
	go func() {
		defer close(s.done)
		b := make([]byte, 4096)
		for {
			n, err := s.tty.Read(b)
			s.mu.Lock()
			s.seen.Write(b[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.tty.Close()
	})
	return s
}

// openTerminal makes a pseudo-terminal and gives its inner end to the program.
func openTerminal(s *screen, size *pty.Winsize) (*os.File, error) {
	outer, inner, err := pty.Open()
	if err != nil {
		return nil, err
	}
	s.tty = outer
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = inner, inner, inner
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return inner, pty.Setsize(outer, size)
}

// modes are the terminal's, as stty shows them.
func (s *screen) modes(t *testing.T) string {
	t.Helper()
	conn, err := s.tty.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	modes := ""
	err = conn.Control(func(fd uintptr) {
		state, err := term.GetState(int(fd))
		modes = fmt.Sprintf("%v %v", state, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	return modes
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

// wait waits for the end and returns the exit code.
func (s *screen) wait(t *testing.T, limit time.Duration) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		<-s.done
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		t.Fatalf("still running after %s; the screen shows:\n%s", limit, s.text())
		return -1
	}
}

func (s *screen) waitFor(t *testing.T, text string, limit time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(limit); !strings.Contains(s.text(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q did not appear within %s; the screen shows:\n%q", text, limit, s.text())
		}
	}
}

// TestSilentTerminal holds the first guard of the live view: a command without a view asks the
// terminal nothing and does not wait for an answer.
func TestSilentTerminal(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"--help"}, {"help", "exit-codes"}} {
		start := time.Now()
		s := newTestScreen(t, &pty.Winsize{Rows: 24, Cols: 80}, nil, args...)
		if code := s.wait(t, 20*time.Second); code != 0 {
			t.Errorf("%v: exit code %d", args, code)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("%v took %s: the terminal was asked something", args, took)
		}
		if strings.ContainsRune(s.text(), 0x1b) {
			t.Errorf("%v wrote an escape byte: %q", args, s.text())
		}
	}
}

// TestStartIsCheap holds how much CPU a command costs that only prints.
func TestStartIsCheap(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("the race detector costs more than the program")
	}
	for _, args := range [][]string{{"--help"}, {"version"}} {
		best := time.Hour
		for range 5 {
			s := newTestScreen(t, &pty.Winsize{Rows: 24, Cols: 80}, nil, args...)
			s.wait(t, 20*time.Second)
			best = min(best, s.cmd.ProcessState.UserTime()+s.cmd.ProcessState.SystemTime())
		}
		if best > 60*time.Millisecond {
			t.Errorf("%v takes %s of CPU, want at most 60ms", args, best)
		}
	}
}

// TestLiveView runs a deploy against an API server that never answers, in a terminal, and ends it in
// every way that there is.
func TestLiveView(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		act  func(t *testing.T, s *screen)
		code int
	}{
		{"SIGTERM", func(_ *testing.T, s *screen) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }, 143},
		{"SIGINT", func(_ *testing.T, s *screen) { _ = s.cmd.Process.Signal(syscall.SIGINT) }, 130},
		{"ctrl+c", func(_ *testing.T, s *screen) { _, _ = s.tty.WriteString("\x03") }, 130},
		{"SIGTERM with a log open", func(t *testing.T, s *screen) {
			t.Helper()
			_, _ = s.tty.WriteString("l")
			s.waitFor(t, "all pods", 10*time.Second)
			_ = s.cmd.Process.Signal(syscall.SIGTERM)
		}, 143},
		{"q and yes", func(t *testing.T, s *screen) {
			t.Helper()
			_, _ = s.tty.WriteString("q")
			s.waitFor(t, "stop watching?", 10*time.Second)
			_, _ = s.tty.WriteString("y")
		}, 7},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kubeconfig := silentServer(t)
			s := newTestScreen(t, &pty.Winsize{Rows: 24, Cols: 80}, nil, "deploy", "-f", newTestProject(t), "--kubeconfig", kubeconfig, "--image", "x/y:z")
			s.waitFor(t, "egk8s deploy", 20*time.Second)
			if s.modes(t) == s.before {
				t.Error("the live view did not take the terminal over: this test proves nothing")
			}
			test.act(t, s)
			if code := s.wait(t, 20*time.Second); code != test.code {
				t.Errorf("exit code %d, want %d; the screen shows:\n%q", code, test.code, s.text())
			}
			checkRestored(t, s)
		})
	}
}

// TestNoColourInATerminal holds that NO_COLOR removes every colour from the live view.
func TestNoColourInATerminal(t *testing.T) {
	t.Parallel()
	s := newTestScreen(t, &pty.Winsize{Rows: 24, Cols: 80}, []string{"NO_COLOR=1"}, "deploy", "-f", newTestProject(t), "--kubeconfig", silentServer(t), "--image", "x/y:z")
	s.waitFor(t, "egk8s deploy", 20*time.Second)
	_ = s.cmd.Process.Signal(syscall.SIGINT)
	s.wait(t, 20*time.Second)
	if code := regexp.MustCompile("\x1b\\[[0-9;]*m").FindString(s.text()); code != "" {
		t.Errorf("a colour code %q: %q", code, s.text())
	}
}

// checkRestored holds that the alternate screen is left and the cursor is visible at the end.
func checkRestored(t *testing.T, s *screen) {
	t.Helper()
	text := s.text()
	if strings.LastIndex(text, "\x1b[?1049h") > strings.LastIndex(text, "\x1b[?1049l") {
		t.Error("the alternate screen was not left")
	}
	if after := s.modes(t); after != s.before {
		t.Errorf("modes of the terminal before %s, after %s", s.before, after)
	}
	if strings.LastIndex(text, "\x1b[?25l") > strings.LastIndex(text, "\x1b[?25h") {
		t.Error("the cursor is still hidden")
	}
}

func newTestProject(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "egk8s")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(link, "init", dir, "--name", "shop", "--cloud", "generic", "--no-input").CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	return filepath.Join(dir, "egk8s.yaml")
}
