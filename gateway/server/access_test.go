package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAccessLogOfAGateway(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env  map[string]string
		want bool
	}{
		"as it comes":           {nil, true},
		"off":                   {map[string]string{"EGK8S_ACCESS_LOG": "off"}, false},
		"errors only":           {map[string]string{"EGK8S_ACCESS_LOG": "errors"}, false},
		"hidden by LOG_LEVEL":   {map[string]string{"LOG_LEVEL": "warn"}, false},
		"asked for against it":  {map[string]string{"LOG_LEVEL": "warn", "EGK8S_ACCESS_LOG": "on"}, true},
		"JSON outside of a pod": {map[string]string{"EGK8S_LOG_FORMAT": "json"}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, map[string]string{"gateway.config.yml": saying("x")}, tt.env)
			get(t, g.url("http")+"/seen?access_token=s3cret")
			if tt.want {
				eventually(t, "a line", func() bool { return strings.Contains(g.log.String(), "/seen") })
			} else {
				g.stop(t)
			}
			log := g.log.String()
			if strings.Contains(log, "/seen") != tt.want || strings.Contains(log, "s3cret") {
				t.Errorf("the log says:\n%s", log)
			}
		})
	}
}

func TestAccessLogNamesWhatHappened(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": proxyTo("http://127.0.0.1:1")}, map[string]string{"EGK8S_LOG_FORMAT": "json"})
	get(t, g.url("http")+"/gone?q=1")
	var line map[string]any
	eventually(t, "a line", func() bool {
		for text := range strings.Lines(g.log.String()) {
			if strings.Contains(text, `"path":"/gone"`) {
				return json.Unmarshal([]byte(text), &line) == nil
			}
		}
		return false
	})
	for _, key := range []string{"time", "duration_ms", "host", "request_id"} {
		if line[key] == "" || line[key] == nil {
			t.Errorf("%s is empty", key)
		}
		delete(line, key)
	}
	want := map[string]any{
		"level": "ERROR", "msg": "request", "method": "GET", "path": "/gone", "status": 502.0, "bytes": 12.0,
		"client": "127.0.0.1", "pipeline": "main", "endpoint": "api", "upstream": "127.0.0.1:1",
	}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
