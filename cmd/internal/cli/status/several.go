package status

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"egk8s.dev/egk8s/cmd/internal/cli/exit"
	"egk8s.dev/egk8s/cmd/internal/cli/explain"
	"egk8s.dev/egk8s/cmd/internal/cli/output"
	"egk8s.dev/egk8s/deployer"
)

// Results is how a release is in several environments; `-o json` prints it.
type Results struct {
	APIVersion string   `json:"apiVersion"` // egk8s.dev/v1alpha1
	Kind       string   `json:"kind"`       // StatusResults
	ExitCode   int      `json:"exitCode"`
	Targets    []Target `json:"targets"`
}

// Target is how it is in one of them.
type Target struct {
	Target   string                 `json:"target"`
	ExitCode int                    `json:"exitCode"`
	Error    string                 `json:"error,omitempty"`  // why it could not be looked at
	Status   *deployer.StatusResult `json:"status,omitempty"` // nil: it could not
	err      error
}

// several looks at the release in every environment of --env at the same time.
func (o *Options) several(ctx context.Context) error {
	if o.Watch {
		return &exit.UsageError{Message: "--watch is for one environment"}
	}
	places, err := o.App.Places("")
	if err != nil {
		return err
	}
	results := Results{APIVersion: "egk8s.dev/v1alpha1", Kind: "StatusResults", Targets: make([]Target, len(places))}
	var all sync.WaitGroup
	for i, p := range places {
		opts := deployer.StatusOptions{Target: o.App.Target(""), Name: p.Project.Name, Timeout: o.Timeout}
		if o.Name != "" {
			opts.Name = o.Name
		}
		if opts.Context == "" {
			opts.Context = p.Project.Context
		}
		if opts.Namespace == "" {
			opts.Namespace = p.Project.Namespace
		}
		all.Go(func() { results.Targets[i] = o.target(ctx, p.Name, opts) })
	}
	all.Wait()
	codes := make([]exit.Code, len(places))
	for i, t := range results.Targets {
		codes[i] = exit.Code(t.ExitCode)
	}
	code := exit.Several(codes)
	results.ExitCode = int(code)
	if err := o.write(results); err != nil {
		return err
	}
	if code == exit.OK {
		return nil
	}
	return &exit.Error{Code: code, Err: errors.New("not every environment is healthy"), Shown: true}
}

func (o *Options) target(ctx context.Context, name string, opts deployer.StatusOptions) Target {
	s, err := o.Status(ctx, opts)
	t := Target{Target: name, Status: s, err: err}
	if err != nil {
		t.Error, t.Status, t.ExitCode = err.Error(), nil, int(exit.Of(err))
		return t
	}
	t.ExitCode = int(healthCode(s.Health))
	return t
}

func (o *Options) write(results Results) error {
	if output.IsDocument(o.Output) {
		return output.Write(o.App.IO.Out, o.Output, results)
	}
	for i, t := range results.Targets {
		blank := ""
		if i > 0 {
			blank = "\n"
		}
		text := ""
		if t.Status != nil {
			text = Text(t.Status, o.look())
		} else {
			text = strings.TrimRight(explain.Text(o.App, t.err), "\n") + "\n"
		}
		if _, err := fmt.Fprintf(o.App.IO.Out, "%s%s:\n%s", blank, t.Target, text); err != nil {
			return err
		}
	}
	return nil
}
