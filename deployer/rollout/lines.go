package rollout

import (
	"encoding/json"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"egk8s.dev/egk8s/deployer/event"
)

// How much of a log a cause carries.
const (
	maxLines = 20
	maxWidth = 400
)

// configRoot is where the config lies in a pod.
const configRoot = "/etc/egk8s/config/"

// clean makes log lines fit to print: no control characters, no secrets, not too long.
func clean(raw string, mask func(string) string) []string {
	var out []string
	for line := range strings.Lines(raw) {
		line = strings.Map(func(r rune) rune {
			if r == '\t' {
				return ' '
			}
			if unicode.IsControl(r) {
				return -1
			}
			return r
		}, strings.ToValidUTF8(line, "�"))
		if mask != nil {
			line = mask(line)
		}
		if runes := []rune(line); len(runes) > maxWidth {
			line = string(runes[:maxWidth-1]) + "…"
		}
		if strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out[max(0, len(out)-maxLines):]
}

// locate finds the first log line that names a place in a config file, and maps it to the user's file.
func locate(cause *event.Cause, config string) {
	place := regexp.MustCompile(`(?:^|[\s"(])((?:/etc/egk8s/config/)?[\w./-]+\.(?:ya?ml|json)):(\d+)(?::(\d+))?: (.+)$`)
	for _, line := range cause.Logs {
		m := place.FindStringSubmatch(text(line))
		if m == nil {
			continue
		}
		file := strings.TrimPrefix(m[1], configRoot)
		if path.IsAbs(file) || !filepath.IsLocal(file) {
			continue
		}
		cause.File = filepath.Join(config, filepath.FromSlash(file))
		cause.Line, _ = strconv.Atoi(m[2])
		cause.Column, _ = strconv.Atoi(m[3])
		if cause.Code == "crash-loop" || cause.Code == "config-refused" {
			cause.Message = "the gateway refuses its configuration: " + m[4]
		}
		if cause.Fix == "" {
			cause.Fix = cause.File + " line " + m[2]
		}
		cause.Next = []string{"egk8s validate"}
		return
	}
}

// text takes the message out of a line of a structured log.
func text(line string) string {
	if !strings.HasPrefix(line, "{") {
		return line
	}
	var entry struct {
		Message string `json:"msg"`
		Problem string `json:"problem"`
		Error   string `json:"error"`
	}
	if json.Unmarshal([]byte(line), &entry) != nil {
		return line
	}
	for _, s := range []string{entry.Problem, entry.Error, entry.Message} {
		if s != "" {
			return s
		}
	}
	return line
}

// short cuts a message of Kubernetes to one line.
func short(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.TrimSuffix(s, ".")
}

// between returns what stands in s between two texts; empty: they are not there.
func between(s, before, after string) string {
	_, s, ok := strings.Cut(s, before)
	if !ok {
		return ""
	}
	s, _, ok = strings.Cut(s, after)
	if !ok {
		return ""
	}
	return s
}
