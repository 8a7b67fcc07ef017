package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"k8s.io/klog/v2"
)

// klog has one logger for the whole process and reads it without a lock: it is set once, to a handler whose target may
// change at any time.
var (
	clientLogs = &redirect{} //nolint:gochecknoglobals // klog is global too
	setKlog    sync.Once     //nolint:gochecknoglobals // klog is global too
)

// routeLogs sends what client-go logs through klog to log, or nowhere: it must not reach the terminal.
func routeLogs(log *slog.Logger) {
	handler := slog.DiscardHandler
	if log != nil {
		handler = log.Handler()
	}
	clientLogs.to.Store(&handler)
	setKlog.Do(func() { klog.SetSlogLogger(slog.New(clientLogs)) })
}

// redirect hands records to the handler that was set last.
type redirect struct{ to atomic.Pointer[slog.Handler] }

// Enabled asks the handler.
func (r *redirect) Enabled(ctx context.Context, level slog.Level) bool {
	return (*r.to.Load()).Enabled(ctx, level)
}

// Handle hands the record on.
func (r *redirect) Handle(ctx context.Context, record slog.Record) error {
	return (*r.to.Load()).Handle(ctx, record)
}

// WithAttrs fixes the handler of now.
func (r *redirect) WithAttrs(attrs []slog.Attr) slog.Handler { return (*r.to.Load()).WithAttrs(attrs) }

// WithGroup fixes the handler of now.
func (r *redirect) WithGroup(name string) slog.Handler { return (*r.to.Load()).WithGroup(name) }
