package daemon

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"

	"egk8s.dev/egk8s/testdata/cluster/internal/network"
	"egk8s.dev/egk8s/testdata/cluster/internal/registry"
)

// loopback is the only address of the machine on which a cluster listens.
const loopback = "127.0.0.1"

// registryPort is the registry's port inside the cluster's namespaces.
const registryPort = "5000"

// hostSide is what a cluster has outside its namespaces: the registry and, with
// nodes, the way to the API server. All of it listens on loopback.
type hostSide struct {
	registry net.Listener
	handler  http.Handler
	api      net.Listener
	ctx      context.Context //nolint:containedctx // the servers' life, ended by close
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// open binds the listeners, on ports that the kernel picks.
func (h *hostSide) open(dir string, nodes bool) error {
	h.ctx, h.cancel = context.WithCancel(context.Background())
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return fmt.Errorf("open registry: %w", err)
	}
	h.registry = l
	if h.handler, err = registry.New(filepath.Join(dir, "registry")); err != nil {
		return err
	}
	h.running.Go(func() { registry.Serve(h.ctx, l, h.handler) })
	if !nodes {
		return nil
	}
	if h.api, err = net.Listen("tcp", net.JoinHostPort(loopback, "0")); err != nil {
		return fmt.Errorf("open way to the API server: %w", err)
	}
	return nil
}

// connect joins the host side with the control plane's namespace: connections to
// the API server go in, and the registry listens there for the nodes.
func (h *hostSide) connect(space *network.Namespace, address, apiPort string) error {
	inside, err := space.Listen("tcp", net.JoinHostPort(address, registryPort))
	if err != nil {
		return fmt.Errorf("open registry for the nodes: %w", err)
	}
	h.running.Go(func() { registry.Serve(h.ctx, inside, h.handler) })
	h.running.Go(func() {
		network.Forward(h.ctx, h.api, func(ctx context.Context) (net.Conn, error) {
			return space.Dial(ctx, "tcp", net.JoinHostPort(address, apiPort))
		})
	})
	return nil
}

// name is the registry's name for everybody: the port decides, and localhost
// makes clients use plain HTTP.
func (h *hostSide) name() string {
	_, port, _ := net.SplitHostPort(h.registry.Addr().String())
	return net.JoinHostPort("localhost", port)
}

func (h *hostSide) close() {
	if h.cancel == nil {
		return
	}
	h.cancel()
	for _, l := range []net.Listener{h.registry, h.api} {
		if l != nil {
			_ = l.Close()
		}
	}
	h.running.Wait()
}
