package deployer

import (
	"context"
	"errors"
	"time"
)

// LogsOptions say which log lines to read.
type LogsOptions struct {
	Target
	Name     string
	Pod      string // empty: all replicas
	Follow   bool   // go on until ctx ends, with pods that come later too
	Previous bool   // of the container before the last restart
	Since    time.Duration
	Tail     int64 // lines from the end, per pod; 0: all
}

// LogLine is one line of one pod, without its line end.
type LogLine struct {
	Pod  string
	Text string
}

// Logs gives every line to out, never two at the same time, in each pod's own order.
func Logs(ctx context.Context, opts LogsOptions, out func(LogLine)) error {
	return errors.New("logs are not built yet")
}

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
	return errors.New("port-forward is not built yet")
}
