package deployer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"egk8s.dev/egk8s/deployer/cluster"
	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/render"
)

// The listeners that PortForward reaches.
const (
	ForwardGateway = "gateway"
	ForwardAdmin   = "admin"
	ForwardStatus  = "status"
	ForwardMetrics = "metrics"
)

// ForwardOptions say what to make reachable on 127.0.0.1.
type ForwardOptions struct {
	Target
	Name      string
	Listener  string // one of the Forward constants; empty: gateway
	LocalPort int    // 0: any free one
	// Ready is called once with the local address, as 127.0.0.1:40123, when connections are accepted.
	Ready func(address string)
}

// PortForward accepts connections on 127.0.0.1 and carries each to a ready pod, until ctx ends. A
// pod that goes away ends its connections only; the next one goes to another pod.
func PortForward(ctx context.Context, opts ForwardOptions) error {
	s, err := connect(opts.Target, nil, opts.Name, "")
	if err != nil {
		return err
	}
	port, err := s.podPort(ctx, opts.Listener)
	if err != nil {
		return err
	}
	f := &forwarder{session: s, port: port}
	defer f.close()
	if _, err := f.tunnel(ctx); err != nil { // so that a wrong start is told at once
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(opts.LocalPort)))
	if err != nil {
		return &SettingsError{Message: fmt.Sprintf("listen on 127.0.0.1:%d: %v", opts.LocalPort, err), Hint: "choose another port, or 0 for any free one"}
	}
	if opts.Ready != nil {
		opts.Ready(listener.Addr().String())
	}
	return f.accept(ctx, listener)
}

// podPort is the port of a listener in the pods.
func (s *session) podPort(ctx context.Context, listener string) (int, error) {
	state, err := s.store.State(ctx)
	if err != nil {
		return 0, err
	}
	switch listener {
	case "", ForwardGateway:
		if state.Ports["http"] == 0 && state.Ports["https"] != 0 {
			return render.HTTPSPort, nil
		}
		return render.HTTPPort, nil
	case ForwardAdmin:
		if port := state.Ports[ForwardAdmin]; port != 0 {
			return port, nil
		}
		return 0, &SettingsError{Message: "this release has no admin listener", Hint: "add admin: {port: 9876} to gateway.config.yml"}
	case ForwardStatus:
		return render.StatusPort, nil
	case ForwardMetrics:
		return render.MetricsPort, nil
	default:
		return 0, &SettingsError{
			Message: fmt.Sprintf("no listener %q", listener),
			Hint:    "there are " + ForwardGateway + ", " + ForwardAdmin + ", " + ForwardStatus + " and " + ForwardMetrics,
		}
	}
}

// forwarder keeps one tunnel and makes another when its pod is gone.
type forwarder struct {
	session *session
	port    int

	mu      sync.Mutex
	open    *cluster.Tunnel
	pod     string
	checked time.Time         // when the pod was last seen ready
	old     []*cluster.Tunnel // to pods that leave: their connections end with them
}

// fresh is how long a look at a pod holds.
const fresh = 300 * time.Millisecond

func (f *forwarder) accept(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close(); f.close() })
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept connection: %w", err)
		}
		all.Go(func() {
			defer conn.Close()     //nolint:errcheck // both sides are done
			_ = f.carry(ctx, conn) // the client sees its connection end
		})
	}
}

// carry carries one connection; a tunnel that turns out to be dead is replaced once.
func (f *forwarder) carry(ctx context.Context, conn net.Conn) error {
	var last error
	for range 2 {
		t, err := f.tunnel(ctx)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		last = t.Carry(conn, f.port)
		stop()
		if !errors.Is(last, cluster.ErrNoStream) {
			return last
		}
		f.drop(t)
	}
	return last
}

// tunnel returns the open tunnel while its pod serves, or opens one to a pod that does.
func (f *forwarder) tunnel(ctx context.Context) (*cluster.Tunnel, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open != nil && f.alive(ctx) {
		return f.open, nil
	}
	if f.open != nil {
		f.old = append(f.old, f.open)
		f.open = nil
	}
	pod, err := f.session.readyPod(ctx)
	if err != nil {
		return nil, err
	}
	open, err := f.session.client.OpenTunnel(ctx, f.session.namespace, pod)
	if err != nil {
		return nil, err
	}
	f.open, f.pod, f.checked = open, pod, f.session.now()
	return open, nil
}

// alive tells whether new connections may go through the open tunnel. The caller holds the lock.
func (f *forwarder) alive(ctx context.Context) bool {
	select {
	case <-f.open.Lost():
		return false
	default:
	}
	if f.session.now().Sub(f.checked) < fresh {
		return true
	}
	u, err := f.session.client.Get(ctx, object.Ref{Version: "v1", Kind: "Pod", Namespace: f.session.namespace, Name: f.pod})
	if err != nil || !serves(u) {
		return false
	}
	f.checked = f.session.now()
	return true
}

func (f *forwarder) drop(t *cluster.Tunnel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == t {
		_ = t.Close()
		f.open = nil
	}
}

func (f *forwarder) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open != nil {
		_ = f.open.Close()
	}
	for _, t := range f.old {
		_ = t.Close()
	}
	f.open, f.old = nil, nil
}

// readyPod returns a pod that serves.
func (s *session) readyPod(ctx context.Context) (string, error) {
	list, err := s.pods(ctx)
	if err != nil {
		return "", err
	}
	for _, u := range list {
		if serves(u) {
			return u.GetName(), nil
		}
	}
	if len(list) == 0 {
		return "", s.notDeployed(ctx)
	}
	return "", &UnhealthyError{Cause: notServing(s.name)}
}

// serves tells whether a pod is ready and stays.
func serves(u *unstructured.Unstructured) bool {
	var p corev1.Pod
	if cluster.Decode(u, &p) != nil || p.DeletionTimestamp != nil {
		return false
	}
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
