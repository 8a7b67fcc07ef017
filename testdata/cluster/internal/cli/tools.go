package cli

import (
	"context"
	"errors"

	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

func (a *app) tools(context.Context) (state.Tools, error) {
	return state.Tools{}, errors.New("nodes come next")
}
