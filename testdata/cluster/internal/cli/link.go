package cli

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"egk8s.dev/egk8s/testdata/cluster/internal/control"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// runNodeLink cuts a node off from all others, or connects it again.
func runNodeLink(ctx context.Context, a *app, args []string) (int, error) {
	c, rest, err := a.named("node-link", args, 2)
	if err != nil {
		return exitUsage, err
	}
	number, err := strconv.Atoi(rest[0])
	if err != nil || rest[1] != "down" && rest[1] != "up" {
		return exitUsage, usageError{fmt.Errorf("node-link: want a node's number and down or up, got %q", rest)}
	}
	s, err := state.Read(c.State())
	if err != nil {
		return exitError, err
	}
	if !s.Running() {
		return exitError, fmt.Errorf("switch link: cluster %s does not run; start it with egkube up --name %s", c.Name, c.Name)
	}
	query := url.Values{"node": {strconv.Itoa(number)}, "up": {strconv.FormatBool(rest[1] == "up")}}
	if _, err := control.Post(ctx, c, control.LinkPath+"?"+query.Encode(), nil); err != nil {
		return exitError, err
	}
	return exitDone, nil
}
