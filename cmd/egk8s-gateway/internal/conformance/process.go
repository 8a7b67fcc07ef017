package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is one running gateway with all that it printed.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	output output
}

// output is a buffer that may be read while it is written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends to the output.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// text is what was printed, without colours.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(o.buf.String(), "")
}

func (o *output) tail() string {
	text := o.text()
	return text[max(0, len(text)-600):]
}

// start runs the gateway over a config folder; the environment loses what would change its behaviour.
func start(binary, dir string, env map[string]string) (*process, error) {
	p := &process{cmd: exec.Command(binary, "--config-dir", dir), exited: make(chan struct{})} //nolint:gosec,noctx // ended by kill
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch upper := strings.ToUpper(name); {
		case upper == "HTTP_PROXY", upper == "HTTPS_PROXY", upper == "NO_PROXY", upper == "LOG_LEVEL",
			strings.HasPrefix(upper, "EG_"), strings.HasPrefix(upper, "EGK8S_"):
		default:
			p.cmd.Env = append(p.cmd.Env, pair)
		}
	}
	p.cmd.Env = append(p.cmd.Env, "EG_CONFIG_DIR="+dir, "NODE_ENV=production",
		"EGK8S_STATUS_ADDRESS=127.0.0.1:0", "EGK8S_METRICS_ADDRESS=127.0.0.1:0")
	for name, value := range env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// wait tells whether the process ended within a time, and its exit code.
func (p *process) wait(ctx context.Context, limit time.Duration) (code int, ended bool) {
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), true
	case <-time.After(limit):
	case <-ctx.Done():
	}
	return 0, false
}

// kill ends the process without grace and waits for it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// errInUse says that another program took a port meanwhile.
var errInUse = errors.New("a port is in use")

// open waits until every port accepts connections.
func (p *process) open(ctx context.Context, ports []string) error {
	deadline := time.After(40 * time.Second)
	var dialer net.Dialer
	for _, port := range ports {
		for {
			conn, err := dialer.DialContext(ctx, "tcp", "127.0.0.1:"+port)
			if err == nil {
				_ = conn.Close()
				break
			}
			select {
			case <-p.exited:
				if strings.Contains(p.output.text(), "in use") {
					return errInUse
				}
				return fmt.Errorf("the gateway ended with status %d: %s", p.cmd.ProcessState.ExitCode(), p.output.tail())
			case <-deadline:
				return fmt.Errorf("the gateway did not open port %s: %s", port, p.output.tail())
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}
