package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// newLogger writes JSON with fixed keys, or lines for people in the form of Express Gateway.
func newLogger(w io.Writer, level string, asJSON bool) *slog.Logger {
	min := logLevel(level)
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: min}))
	}
	return slog.New(&lineHandler{w: w, min: min, mu: &sync.Mutex{}})
}

// output lets the log and the access log share a writer.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

// Write writes whole lines.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

// logLevel reads LOG_LEVEL. EG: error, warn, info, verbose, debug; info when it says nothing known.
func logLevel(name string) slog.Level {
	switch strings.ToLower(name) {
	case "error":
		return slog.LevelError
	case "warn", "warning":
		return slog.LevelWarn
	case "verbose", "debug", "silly":
		return slog.LevelDebug
	default:
		return slog.LevelInfo
	}
}

// lineHandler writes "<time> [EG:gateway] info: message key=value".
type lineHandler struct {
	w     io.Writer
	min   slog.Level
	mu    *sync.Mutex
	attrs string
}

// Enabled tells whether a level is written.
func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.min }

// Handle writes one line.
func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	label := "gateway"
	var rest strings.Builder
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "policy" && a.Value.String() == "log" {
			label = "log-policy"
			return true
		}
		writeAttr(&rest, a)
		return true
	})
	line := fmt.Sprintf("%s [EG:%s] %s: %s%s%s\n", r.Time.UTC().Format("2006-01-02T15:04:05.000Z"), label,
		strings.ToLower(r.Level.String()), oneLine(r.Message), h.attrs, rest.String())
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, line)
	return err
}

// WithAttrs returns a handler that writes attrs on every line.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		writeAttr(&b, a)
	}
	next := *h
	next.attrs += b.String()
	return &next
}

// WithGroup has no form here: keys stay as they are.
func (h *lineHandler) WithGroup(string) slog.Handler { return h }

// oneLine escapes what could end a line, or tell a terminal what to do: a message may hold what a client sent.
func oneLine(text string) string {
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) && r != '\t' {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func writeAttr(b *strings.Builder, a slog.Attr) {
	value := a.Value.Resolve().String()
	if d, ok := a.Value.Any().(time.Duration); ok {
		value = d.String()
	}
	if strings.ContainsAny(value, " \"=") || strings.ContainsFunc(value, unicode.IsControl) {
		value = fmt.Sprintf("%q", value)
	}
	b.WriteString(" " + a.Key + "=" + value)
}
