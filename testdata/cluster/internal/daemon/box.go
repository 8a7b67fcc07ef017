package daemon

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"egk8s.dev/egk8s/testdata/cluster/internal/layout"
	"egk8s.dev/egk8s/testdata/cluster/internal/sandbox"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// box is a sandbox process that runs.
type box struct {
	name string
	pid  int
	// stdin is the sandbox's life line: a first line starts its programs, the
	// end of the stream stops them, so that they never outlive this process.
	stdin io.WriteCloser
	// done is closed when the process has ended; err says how.
	done chan struct{}
	err  error
	kill func() error
}

// namespaces are those that a sandbox gets when it is made by root.
const namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET |
	syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// startBox makes the sandbox process. Its programs start with begin.
func startBox(c layout.Cluster, spec sandbox.Spec) (*box, error) {
	file := filepath.Join(c.Dir, spec.Name+".sandbox.json")
	if err := state.WriteJSON(file, spec); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(c.Logs(), spec.Name+".sandbox.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", spec.Name, err)
	}
	defer log.Close()
	cmd := exec.Command("/proc/self/exe", "sandbox", file)
	cmd.Env = append(os.Environ(), c.Marker())
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if spec.Isolated {
		cmd.SysProcAttr.Cloneflags = namespaces
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", spec.Name, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", spec.Name, err)
	}
	b := &box{name: spec.Name, stdin: stdin, done: make(chan struct{})}
	b.kill = func() error { return cmd.Process.Kill() }
	if err := b.run(cmd, stdout); err != nil {
		return nil, err
	}
	return b, nil
}

// run starts the process on a thread that lives as long as the process does, for
// the kernel kills the process when the thread that made it ends.
func (b *box) run(cmd *exec.Cmd, events io.Reader) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("start sandbox %s: %w", b.name, err)
			return
		}
		b.pid = cmd.Process.Pid
		started <- nil
		cause := lastFailure(events)
		err := cmd.Wait()
		if cause != nil {
			err = cause
		}
		if err != nil {
			b.err = fmt.Errorf("%s: %w", b.name, err)
		}
		close(b.done)
	}()
	return <-started
}

// lastFailure reads a sandbox's events to their end.
func lastFailure(events io.Reader) error {
	var failure error
	lines := bufio.NewScanner(events)
	for lines.Scan() {
		var e sandbox.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Kind == "failed" {
			failure = errors.New(e.Note)
		}
	}
	return failure
}

// begin lets the sandbox start its programs.
func (b *box) begin() error {
	if _, err := io.WriteString(b.stdin, "go\n"); err != nil {
		return fmt.Errorf("start programs of %s: %w", b.name, err)
	}
	return nil
}

// stop asks the sandbox to end its programs in order and waits for it.
func (b *box) stop() {
	_ = b.stdin.Close()
	<-b.done
}

// destroy kills the sandbox and, because it is the first process of its
// namespace, everything in it at once.
func (b *box) destroy() {
	_ = b.kill()
	<-b.done
}
