package cli

import (
	"context"
	"fmt"
	"os"

	"egk8s.dev/egk8s/testdata/cluster/internal/control"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

func runLoad(ctx context.Context, a *app, args []string) (int, error) {
	c, rest, err := a.named("load", args, 1)
	if err != nil {
		return exitUsage, err
	}
	s, err := state.Read(c.State())
	if err != nil {
		return exitError, err
	}
	if !s.Running() {
		return exitError, fmt.Errorf("load image: cluster %s does not run; start it with egkube up --name %s", c.Name, c.Name)
	}
	archive, err := os.Open(rest[0])
	if err != nil {
		return exitError, fmt.Errorf("load image: %w", err)
	}
	defer archive.Close()
	notes, err := control.Post(ctx, c, control.LoadPath, archive)
	if err != nil {
		return exitError, err
	}
	fmt.Fprintln(a.Out, notes)
	return exitDone, nil
}
