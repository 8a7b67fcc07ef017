package server

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// accessMode says which requests the access log holds.
type accessMode int

const (
	accessOff    accessMode = iota
	accessErrors            // answers with 5xx, and answers that broke off
	accessOn                // all
)

// parseAccessMode reads EGK8S_ACCESS_LOG or accessLog of the settings; empty: fallback.
func parseAccessMode(value string, fallback accessMode) (accessMode, error) {
	switch strings.ToLower(value) {
	case "":
		return fallback, nil
	case "off":
		return accessOff, nil
	case "errors":
		return accessErrors, nil
	case "on":
		return accessOn, nil
	default:
		return accessOff, fmt.Errorf("read access log: %q is none of on, errors, off", value)
	}
}

const (
	accessFlushEvery = 100 * time.Millisecond // so old a line gets at most before it is written
	accessFlushSize  = 32 << 10               // of one shard: written at once
	accessMaxPending = 256 << 10              // of one shard: further lines are dropped and counted
	accessShards     = 16
)

// accessLog writes one line for every request, without making requests wait.
//
// A line is put into the buffer of a shard; one goroutine writes the buffers to the output, 100 ms after
// the first line at the latest. When the output takes nothing, buffers fill up to a bound and further
// lines are dropped; they are counted in egk8s_access_log_dropped_total. A nil accessLog logs nothing.
type accessLog struct {
	mode   accessMode
	format lineFormat
	out    io.Writer
	shards []accessShard

	wake, full chan struct{} // with room for one: there is a line; a buffer should be written now
	stop, done chan struct{}
	dropped    atomic.Uint64
}

// accessShard is a buffer that few goroutines share.
type accessShard struct {
	mu    sync.Mutex
	lines []byte
	clock clock
	_     [64]byte // shards must not share a cache line
}

// newAccessLog starts a log that writes to out; close ends it.
func newAccessLog(out io.Writer, mode accessMode, format lineFormat) *accessLog {
	if mode == accessOff {
		return nil
	}
	l := &accessLog{
		mode: mode, format: format, out: out,
		shards: make([]accessShard, min(accessShards, runtime.GOMAXPROCS(0))),
		wake:   make(chan struct{}, 1), full: make(chan struct{}, 1),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go l.run()
	return l
}

// add logs an answered request. home chooses the shard: what is kept for one processor uses one of its own.
func (l *accessLog) add(home uint32, e *entry) {
	if l == nil || l.mode == accessErrors && e.status < 500 && !e.broken {
		return
	}
	s := &l.shards[home%uint32(len(l.shards))] //nolint:gosec // a handful
	s.mu.Lock()
	if len(s.lines) >= accessMaxPending {
		s.mu.Unlock()
		l.dropped.Add(1)
		return
	}
	before := len(s.lines)
	s.lines = l.format(s.lines, &s.clock, e)
	after := len(s.lines)
	s.mu.Unlock()
	if before == 0 {
		ring(l.wake)
	}
	if before < accessFlushSize && after >= accessFlushSize {
		ring(l.full)
	}
}

// ring wakes who waits for bell; nobody waits for the ringer.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// run writes until the log is closed. It sleeps while no request comes.
func (l *accessLog) run() {
	defer close(l.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var spare []byte
	for open := true; open; {
		select {
		case <-l.wake:
			timer.Reset(accessFlushEvery)
			select {
			case <-timer.C:
			case <-l.full:
			case <-l.stop:
				open = false
			}
		case <-l.stop:
			open = false
		}
		for i := range l.shards {
			spare = l.shards[i].flush(l.out, spare)
		}
	}
}

// flush writes what a shard holds and returns a buffer to use again.
func (s *accessShard) flush(out io.Writer, spare []byte) []byte {
	s.mu.Lock()
	lines := s.lines
	s.lines = spare[:0]
	s.mu.Unlock()
	if len(lines) > 0 {
		_, _ = out.Write(lines) // there is no other place to tell that the log is broken
	}
	return lines
}

// close writes what is left. An output that takes nothing holds it up for a second at most.
func (l *accessLog) close() {
	if l == nil {
		return
	}
	close(l.stop)
	select {
	case <-l.done:
	case <-time.After(time.Second):
	}
}

// collect prints how many lines were dropped.
func (l *accessLog) collect(b *strings.Builder) {
	if l == nil {
		return
	}
	head(b, "egk8s_access_log_dropped_total", "counter", "Lines of the access log that its output was too slow for.")
	fmt.Fprintf(b, "egk8s_access_log_dropped_total %d\n", l.dropped.Load())
}

// openAccessLog starts the log that the environment asks for, else the settings. Without either it is on,
// unless LOG_LEVEL hides information.
func (g *Gateway) openAccessLog() error {
	fallback := accessOn
	if logLevel(g.env.logLevel) > slog.LevelInfo {
		fallback = accessOff
	}
	mode, err := parseAccessMode(cmp.Or(g.env.access, g.Config().Settings.AccessLog), fallback)
	if err != nil {
		return err
	}
	format := textLine
	if g.env.json {
		format = jsonLine
	}
	g.access = newAccessLog(g.opts.Output, mode, format)
	g.metrics.collectors = append(g.metrics.collectors, g.access.collect)
	return nil
}
