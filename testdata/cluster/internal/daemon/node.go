package daemon

import (
	"context"
	"errors"

	"egk8s.dev/egk8s/testdata/cluster/internal/build"
	"egk8s.dev/egk8s/testdata/cluster/internal/component"
)

// coreDNSImage is the name server's image, loaded into every node.
const coreDNSImage = build.CoreDNSImage

// node is a node that runs.
type node struct{ box *box }

func (d *daemon) nodeAddresses() map[string]string { return nil }

func (d *daemon) joinPlane(component.ControlPlane) error { return errors.New("no nodes yet") }

func (d *daemon) startNodes(context.Context, component.ControlPlane) (func(context.Context) error, error) {
	return func(context.Context) error { return nil }, nil
}
