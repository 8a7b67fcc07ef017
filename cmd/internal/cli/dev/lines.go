package dev

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"egk8s.dev/egk8s/cmd/internal/theme"
)

// lines turns the gateway's JSON log into lines for people. The gateway writes whole lines, one call at a time.
type lines struct {
	w     io.Writer
	raw   bool
	theme theme.Theme
}

// Write writes the lines of p.
func (l *lines) Write(p []byte) (int, error) {
	if l.raw {
		return l.w.Write(p)
	}
	var out bytes.Buffer
	for line := range bytes.Lines(p) {
		out.WriteString(l.line(line))
	}
	if _, err := l.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (l *lines) line(text []byte) string {
	var record map[string]any
	if json.Unmarshal(text, &record) != nil {
		return string(text)
	}
	at := clock(record["time"])
	if record["msg"] == "request" {
		return l.theme.Paint(theme.Dim, at) + "  " + l.request(record) + "\n"
	}
	level, _ := record["level"].(string)
	message := printable(fmt.Sprint(record["msg"]))
	if listener, ok := record["listener"].(string); ok && strings.HasSuffix(message, fmt.Sprint(record["address"])) {
		scheme := "http"
		if listener == "https" {
			scheme = "https"
		}
		return l.theme.Paint(theme.Dim, at) + fmt.Sprintf("  %s: %s://%s\n", listener, scheme, record["address"])
	}
	kind := theme.Plain
	switch level {
	case "WARN":
		kind, message = theme.Warn, "warning: "+message
	case "ERROR":
		kind, message = theme.Fail, "error: "+message
	case "DEBUG":
		kind = theme.Dim
	}
	for _, key := range slices.Sorted(maps.Keys(record)) {
		if !slices.Contains([]string{"time", "level", "msg", "code", "version", "digest", "listener", "address"}, key) {
			message += printable(fmt.Sprintf(" %s=%v", key, record[key]))
		}
	}
	return l.theme.Paint(theme.Dim, at) + "  " + l.theme.Paint(kind, message) + "\n"
}

// request is "200  GET /customers/1  3.2 ms  customers -> http://…".
func (l *lines) request(r map[string]any) string {
	status, _ := r["status"].(float64)
	kind := theme.OK
	switch {
	case status >= 500:
		kind = theme.Fail
	case status >= 400:
		kind = theme.Warn
	}
	ms, _ := r["duration_ms"].(float64)
	line := l.theme.Paint(kind, fmt.Sprintf("%d", int(status))) + printable(fmt.Sprintf("  %-6s %s  %.1f ms", r["method"], r["path"], ms))
	endpoint, _ := r["endpoint"].(string)
	if endpoint == "" {
		return line + l.theme.Paint(theme.Dim, "  no route")
	}
	line += "  " + printable(endpoint)
	if upstream, _ := r["upstream"].(string); upstream != "" {
		line += " " + l.theme.Lines().Arrow + " " + printable(upstream)
	}
	if r["broken"] == true {
		line += "  broken off"
	}
	return line
}

func clock(v any) string {
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return at.Local().Format("15:04:05")
}

// printable keeps what a client sent from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\ufffd'
		}
		return r
	}, text)
}
