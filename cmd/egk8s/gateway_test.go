package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	_ "egk8s.dev/egk8s/gateway/server" // a change of the gateway makes a remembered test result void
)

// gatewayProgram builds egk8s-gateway once, when the first script asks for it.
type gatewayProgram struct {
	once sync.Once
	dir  string
	path string
	err  error
}

func (p *gatewayProgram) build() (string, error) {
	p.once.Do(func() {
		if p.dir, p.err = os.MkdirTemp("", "egk8s-gateway"); p.err != nil {
			return
		}
		p.path = filepath.Join(p.dir, "egk8s-gateway")
		build := exec.Command("go", "build", "-pgo=off", "-o", p.path, "../egk8s-gateway") // shares the build cache with the other tests
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			p.err = fmt.Errorf("build the gateway: %w\n%s", err, out)
		}
	})
	return p.path, p.err
}

func (p *gatewayProgram) remove() { _ = os.RemoveAll(p.dir) }

var adminListens = regexp.MustCompile(`admin server listening on (127\.0\.0\.1:\d+)`)

// start is the command gateway DIR: a real egk8s-gateway serves the folder until the script ends. Its Admin API
// becomes EGK8S_ADMIN_URL, its log the file DIR.log.
func (p *gatewayProgram) start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gateway DIR")
	}
	program, err := p.build()
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.CopyFS(filepath.Join(dir, "models"), os.DirFS(filepath.Join("..", "..", "gateway", "consumer", "models"))))
	log, err := os.Create(dir + ".log")
	ts.Check(err)
	cmd := exec.Command(program, "--config-dir", dir)
	cmd.Env = []string{
		"EGK8S_HTTP_ADDRESS=127.0.0.1:0", "EGK8S_ADMIN_ADDRESS=127.0.0.1:0", "LOG_LEVEL=debug",
		"EGK8S_ADMIN_TOKEN=" + ts.Getenv("GATEWAY_TOKEN"),
	}
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = log.Close()
	})
	for end := time.After(20 * time.Second); ; {
		if address := loggedAddress(dir + ".log"); address != "" {
			ts.Setenv("EGK8S_ADMIN_URL", "http://"+address)
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
			continue
		case <-ended:
		case <-end:
		}
		break
	}
	text, _ := os.ReadFile(dir + ".log")
	ts.Fatalf("the gateway's Admin API does not come up:\n%s", text)
}

func loggedAddress(file string) string {
	log, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer func() { _ = log.Close() }()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if found := adminListens.FindStringSubmatch(lines.Text()); found != nil {
			return found[1]
		}
	}
	return ""
}
