package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"egk8s.dev/egk8s/cmd/internal/cli/app"
	"egk8s.dev/egk8s/gateway/offline"
)

// stubs stand in for service endpoints: each answers with what it was asked.
type stubs struct {
	urls    map[string]string
	servers []*http.Server
}

func (o *Options) stubs(ctx context.Context, report *offline.Report) (*stubs, error) {
	s := &stubs{urls: map[string]string{}}
	paths := map[string]string{}
	for _, u := range report.Upstreams {
		if parsed, err := url.Parse(u.URL); err == nil {
			paths[u.Name] = parsed.EscapedPath()
		}
	}
	for _, name := range report.Services {
		if slices.Contains(o.Stub, all) || slices.Contains(o.Stub, name) {
			if err := s.start(ctx, name, paths[name]); err != nil {
				s.close()
				return nil, err
			}
		}
	}
	for _, name := range o.Stub {
		if name != all && !slices.Contains(report.Services, name) {
			s.close()
			return nil, app.OneOf("stub", name, append(report.Services, all))
		}
	}
	return s, nil
}

func (s *stubs) start(ctx context.Context, name, path string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the stub of %s: %w", name, err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(answer{Stub: name, Method: r.Method, URL: r.RequestURI, Host: r.Host, Headers: r.Header})
	})}
	s.servers = append(s.servers, server)
	s.urls[name] = "http://" + l.Addr().String() + strings.TrimSuffix(path, "/")
	go server.Serve(l) //nolint:errcheck // it ends with close
	return nil
}

// answer is what a stub says.
type answer struct {
	Stub    string      `json:"stub"`
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Host    string      `json:"host"`
	Headers http.Header `json:"headers"`
}

func (s *stubs) close() {
	for _, server := range s.servers {
		server.Close() //nolint:errcheck,gosec // it ends either way
	}
}
