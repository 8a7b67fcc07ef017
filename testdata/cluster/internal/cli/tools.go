package cli

import (
	"context"
	"os"

	"egk8s.dev/egk8s/testdata/cluster/internal/debian"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// tools finds or unpacks what nodes need.
func (a *app) tools(ctx context.Context) (state.Tools, error) {
	if err := a.owner.MakeDir(a.cache.Packages()); err != nil {
		return state.Tools{}, err
	}
	tools, err := debian.Ensure(ctx, debian.Options{Cache: a.cache, Out: a.Err, Machine: debian.Machine(os.Getenv("PATH"))})
	if err != nil || tools.Root == "" {
		return tools, err
	}
	return tools, a.owner.Give(tools.Root)
}
