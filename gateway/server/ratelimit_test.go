package server_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// limiting is a configuration that limits everything and answers with a text.
func limiting(parameters, text string) string {
	return `http: {port: 0, hostname: 127.0.0.1}
apiEndpoints: {api: {host: '*'}}
policies: [rate-limit, terminate]
pipelines:
  main:
    apiEndpoints: [api]
    policies:
    - rate-limit: {action: {` + parameters + `}}
    - terminate: {action: {statusCode: 200, message: ` + text + `}}
`
}

func TestCountsSurviveAReload(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": limiting("max: 1000, windowMs: 3600000", "one")}, nil)
	get(t, g.url("http"))
	writeFiles(t, g.dir, map[string]string{"gateway.config.yml": limiting("max: 2000, windowMs: 3600000", "two")})
	asked := 1
	var last reply
	eventually(t, "the new answer", func() bool {
		asked++
		last = get(t, g.url("http"))
		return last.body == "two"
	})
	if got, want := last.Header.Get("X-RateLimit-Remaining"), fmt.Sprint(2000-asked); got != want {
		t.Errorf("%s remain after %d requests, want %s", got, asked, want)
	}
}

func TestDelayedRequestEndsWithItsClient(t *testing.T) {
	t.Parallel()
	g := start(t, map[string]string{"gateway.config.yml": limiting("max: 0, windowMs: 3600000, delayMs: 3600000", "x")}, nil)
	get(t, g.url("http"))
	waiting := func() bool {
		return !strings.Contains(get(t, g.url("metrics")+"/metrics").body, "egk8s_requests_in_flight 0")
	}
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
	} {
		conn, err := net.Dial("tcp", g.Status().Listeners["http"])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the request waits", waiting)
		_ = conn.Close()
		eventually(t, "the request ended: "+request[:4], func() bool { return !waiting() })
	}
}
