package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Runner plays cases against one gateway binary. It is safe for concurrent use.
type Runner struct {
	Binary string            // an executable that takes --config-dir
	Models map[string]string // models/*.json of cases that bring none
	ports  ports
}

// Play plays a case and returns what differs from what it expects, nothing when it passed.
func (r *Runner) Play(ctx context.Context, c Case) []string {
	for try := 1; ; try++ {
		diffs, err := r.once(ctx, c)
		if errors.Is(err, errInUse) && try < 3 {
			continue // another program took a port between its choice and its use
		}
		if err != nil {
			diffs = append(diffs, err.Error())
		}
		return diffs
	}
}

// play is one case being played.
type play struct {
	Case
	dir      string
	vars     map[string]string
	backends map[string]*stub
	client   *client
	process  *process
	diffs    []string
}

func (p *play) addf(format string, args ...any) {
	p.diffs = append(p.diffs, fmt.Sprintf(format, args...))
}

func (r *Runner) once(ctx context.Context, c Case) ([]string, error) {
	dir, err := os.MkdirTemp("", "egk8s-case-")
	if err != nil {
		return nil, err
	}
	p := &play{Case: c, dir: dir, vars: map[string]string{"dir": dir}, backends: map[string]*stub{}}
	defer p.close()
	if err := r.prepare(ctx, p); err != nil {
		return nil, fmt.Errorf("prepare case: %w", err)
	}
	env, err := expandAll(c.Env, p.vars)
	if err != nil {
		return nil, err
	}
	if p.process, err = start(r.Binary, dir, env); err != nil {
		return nil, fmt.Errorf("start gateway: %w", err)
	}
	if c.ExpectStart == "fail" {
		p.failingStart(ctx)
	} else if err := p.steps(ctx); err != nil {
		return p.diffs, err
	}
	p.logs(ctx)
	return p.diffs, nil
}

// close ends everything that the case started.
func (p *play) close() {
	if p.process != nil {
		p.process.kill()
	}
	for _, b := range p.backends {
		b.close()
	}
	_ = os.RemoveAll(p.dir)
}

// prepare chooses ports, starts the backends and writes the files.
func (r *Runner) prepare(ctx context.Context, p *play) error {
	for _, name := range []string{"http", "https", "admin", "dead"} {
		port, err := r.ports.free(ctx)
		if err != nil {
			return err
		}
		p.vars[name] = port
	}
	if err := p.write("", p.Files); err != nil {
		return err
	}
	if len(p.Backends) == 0 {
		p.Backends = map[string]Backend{"backend": {}}
	}
	if err := p.startBackends(ctx); err != nil {
		return err
	}
	p.client = &client{dir: p.dir, jar: map[string]string{}, ports: map[string]string{
		"gateway": p.vars["http"], "https": p.vars["https"], "admin": p.vars["admin"],
	}}
	models := maps.Clone(r.Models)
	maps.Copy(models, p.Models)
	if err := p.write("models", models); err != nil {
		return err
	}
	system, name := p.System, "system.config."+p.ext()
	if system == "" {
		system, name = defaultSystem, "system.config.yml"
	}
	return p.write("", map[string]string{
		"gateway.config." + p.ext(): expand(p.Gateway, p.vars), name: expand(system, p.vars),
	})
}

func (p *play) ext() string {
	if p.ConfigExt != "" {
		return p.ConfigExt
	}
	return "yml"
}

// startBackends starts every stub, then tells each the ports of all.
func (p *play) startBackends(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(p.Backends)) {
		b, err := newStub(ctx, name, p.Backends[name], p.dir)
		if err != nil {
			return fmt.Errorf("start backend %s: %w", name, err)
		}
		p.backends[name] = b
		p.vars["b."+name] = b.port()
	}
	for name, b := range p.backends {
		spec, err := expandAll(p.Backends[name], p.vars)
		if err != nil {
			return err
		}
		b.use(spec)
	}
	return nil
}

// write writes files below a folder of the case.
func (p *play) write(folder string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(p.dir, folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) failingStart(ctx context.Context) {
	switch code, ended := p.process.wait(ctx, 25*time.Second); {
	case !ended:
		p.addf("the gateway kept running, expected a failing start")
	case code == 0:
		p.addf("the gateway ended with status 0, expected a failing start")
	}
}

// steps waits for the listeners that the config has and plays the steps up to the first failing one.
func (p *play) steps(ctx context.Context) error {
	var wait []string
	for _, name := range []string{"http", "https", "admin"} {
		if strings.Contains(p.Gateway, "{{"+name+"}}") && p.DontWait != name {
			wait = append(wait, p.vars[name])
		}
	}
	if err := p.process.open(ctx, wait); err != nil {
		return err
	}
	for i, step := range p.Steps {
		where := fmt.Sprintf("step %d", i+1)
		if step.Name != "" {
			where += " (" + step.Name + ")"
		}
		if err := p.step(ctx, where, step); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		if len(p.diffs) > 0 && !p.KeepGoing {
			break
		}
	}
	return nil
}

// logs looks for the texts that the gateway must print.
func (p *play) logs(ctx context.Context) {
	for _, want := range p.LogContains {
		want = expand(want, p.vars)
		for range 100 {
			if strings.Contains(p.process.output.text(), want) {
				break
			}
			pause(ctx, 20*time.Millisecond)
		}
		if !strings.Contains(p.process.output.text(), want) {
			p.addf("the output lacks %q: %s", want, p.process.output.tail())
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
