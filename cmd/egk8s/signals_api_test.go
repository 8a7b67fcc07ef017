//go:build api && unix

package main

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestSignalsDuringARollout interrupts deploys whose pods wait for a node, at 20 moments of the rollout: each
// ends with its code, gives the terminal back as it was, and leaves a release that the next run can go on with.
func TestSignalsDuringARollout(t *testing.T) {
	t.Parallel()
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		t.Fatal("KUBECONFIG names no API server: run make test-api")
	}
	project := newTestProject(t)
	for signal, code := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130} {
		for i := range 20 {
			t.Run(fmt.Sprintf("%s %d", signal, i), func(t *testing.T) {
				t.Parallel()
				namespace := fmt.Sprintf("signal-%x", time.Now().UnixNano())
				s := newTestScreen(t, &pty.Winsize{Rows: 24, Cols: 80}, nil, "deploy", "-f", project, "--kubeconfig", kubeconfig,
					"-n", namespace, "--create-namespace", "--image", "example.com/gateway:1")
				s.waitFor(t, "0/2 ready", 30*time.Second)
				time.Sleep(time.Duration(i) * 37 * time.Millisecond)
				_ = s.cmd.Process.Signal(signal)
				if got := s.wait(t, 20*time.Second); got != code {
					t.Errorf("exit code %d, want %d; the screen shows:\n%q", got, code, s.text())
				}
				checkRestored(t, s)
				if err := syscall.Kill(-s.cmd.Process.Pid, 0); err == nil {
					t.Error("something of its process group is left")
				}
				if i%5 > 0 {
					return
				}
				next := newTestScreen(t, &pty.Winsize{Rows: 24, Cols: 80}, nil, "deploy", "-f", project, "--kubeconfig", kubeconfig,
					"-n", namespace, "--image", "example.com/gateway:1", "--progress", "plain", "--timeout", "1s")
				if got := next.wait(t, 20*time.Second); got != 7 {
					t.Errorf("the next deploy ends with %d, want 7: it waits for the pods too\n%s", got, next.text())
				}
			})
		}
	}
}
