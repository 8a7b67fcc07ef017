package server

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/framing"
)

// limits bound what a client may send and how long it may take.
type limits struct {
	headBytes, fields, target int
	bodyBytes                 int64 // 0: no bound
	connections               int   // 0: no bound
	streams                   int   // of one HTTP/2 connection

	// How long a client may take for a whole head, for the next part of a body, to begin the next request,
	// and to take something of an answer. 0: for ever.
	head, body, idle, write time.Duration
}

// readLimits takes the settings, the environment over them, and what is left from the defaults.
func readLimits(s config.LimitSettings, lookup func(string) (string, bool)) (limits, error) {
	r := limitReader{lookup: lookup}
	l := limits{
		headBytes:   int(r.number("EGK8S_MAX_HEADER_BYTES", int64(s.HeaderBytes), 64<<10)),
		fields:      int(r.number("EGK8S_MAX_HEADERS", int64(s.Headers), 200)),
		target:      int(r.number("EGK8S_MAX_TARGET_BYTES", int64(s.TargetBytes), 16<<10)),
		bodyBytes:   r.number("EGK8S_MAX_BODY_BYTES", s.BodyBytes, 0),
		connections: int(r.number("EGK8S_MAX_CONNECTIONS", int64(s.Connections), 0)),
		streams:     int(r.number("EGK8S_MAX_STREAMS", int64(s.Streams), 250)),
		head:        r.seconds("EGK8S_HEADER_TIMEOUT", s.HeaderTimeout, 10*time.Second),
		body:        r.seconds("EGK8S_BODY_TIMEOUT", s.BodyTimeout, 30*time.Second),
		idle:        r.seconds("EGK8S_IDLE_TIMEOUT", s.IdleTimeout, 75*time.Second), // longer than what load balancers keep
		write:       r.seconds("EGK8S_WRITE_TIMEOUT", s.WriteTimeout, 60*time.Second),
	}
	if r.err == nil && l.target >= l.headBytes {
		r.err = fmt.Errorf("the limit of a target, %d bytes, must be below that of a whole head, %d bytes", l.target, l.headBytes)
	}
	return l, r.err
}

func (l *limits) framing() framing.Limits {
	return framing.Limits{Target: l.target, HeadBytes: l.headBytes, Fields: l.fields}
}

type limitReader struct {
	lookup func(string) (string, bool)
	err    error
}

// number returns what the environment says, else the setting, else the default.
func (r *limitReader) number(name string, setting, fallback int64) int64 {
	value, _ := r.lookup(name)
	if value == "" {
		return cmp.Or(setting, fallback)
	}
	n, err := strconv.ParseInt(value, 10, 32+31)
	if err != nil || n < 0 {
		r.err = cmp.Or(r.err, fmt.Errorf("read %s: %q is no whole number", name, value))
	}
	return cmp.Or(n, fallback)
}

func (r *limitReader) seconds(name string, setting int, fallback time.Duration) time.Duration {
	value, _ := r.lookup(name)
	d, given, err := duration(name, value)
	if err != nil {
		r.err = cmp.Or(r.err, err)
	}
	if given {
		return d
	}
	return cmp.Or(time.Duration(setting)*time.Second, fallback)
}

// readLimits sets the limits and what counts connections by them.
func (g *Gateway) readLimits() (err error) {
	if g.limits, err = readLimits(g.Config().Settings.Limits, g.opts.LookupEnv); err != nil {
		return err
	}
	g.conns = newConnections(g.limits)
	g.ownConns = newConnections(limits{write: g.limits.write})
	g.metrics.collectors = append(g.metrics.collectors, g.conns.collect)
	return nil
}
