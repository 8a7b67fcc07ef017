package server

import (
	"encoding/json"
	"net/http"
	"time"

	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/version"
)

// Status is what /egk8s/status answers.
type Status struct {
	Version         string            `json:"version"`
	LoadedDigest    string            `json:"loadedDigest"`
	ExpectedDigest  string            `json:"expectedDigest"`
	ConsumersDigest string            `json:"consumersDigest"`
	Since           time.Time         `json:"since"`     // when the configuration in force was loaded
	Listeners       map[string]string `json:"listeners"` // name to address
	Problems        diag.Problems     `json:"problems"`  // of a newer file that was refused, and warnings
	Ready           bool              `json:"ready"`
	Reason          string            `json:"reason,omitempty"` // why it is not ready
}

// Status tells how the gateway is.
func (g *Gateway) Status() Status {
	g.mu.Lock()
	s := Status{
		Version: version.Version, ExpectedDigest: g.env.expected, Since: g.since,
		Listeners: map[string]string{}, Problems: append(diag.Problems{}, g.problems...),
	}
	for _, l := range g.listeners {
		s.Listeners[l.name] = l.Addr().String()
	}
	g.mu.Unlock()
	s.LoadedDigest = g.Digest()
	if g.consumers != nil && g.consumers.status != nil {
		digest, problems := g.consumers.status()
		s.ConsumersDigest = digest
		s.Problems = append(s.Problems, problems...)
	}
	s.Reason = g.unready()
	s.Ready = s.Reason == ""
	return s
}

// unready says why the gateway should get no new clients; empty: it should.
func (g *Gateway) unready() string {
	switch {
	case g.draining.Load():
		return "the gateway is shutting down"
	case !g.serving.Load():
		return "the gateway is starting"
	case g.env.pod() && g.Digest() != g.env.expected:
		return "the loaded configuration is not the expected one"
	case g.awaitsStore():
		return "Redis did not answer yet"
	default:
		return ""
	}
}

// storePatience is how long a gateway that starts waits for its Redis: one that knows nobody should not take over from
// those that remember, but what needs nobody to be known must go on without Redis.
const storePatience = 30 * time.Second

func (g *Gateway) awaitsStore() bool {
	return g.consumers != nil && g.consumers.reached != nil && !g.consumers.reached() && time.Since(g.started) < storePatience
}

// statusHandler answers liveness, readiness and status.
func (g *Gateway) statusHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /egk8s/live", func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, http.StatusOK, "alive\n")
	})
	mux.HandleFunc("GET /egk8s/ready", g.ready)
	mux.HandleFunc("GET /egk8s/status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(g.Status()); err != nil {
			g.log.Debug("write status", "error", err)
		}
	})
	return mux
}

// readyHandler answers readiness and nothing else: a cloud's health check may reach it from outside.
func (g *Gateway) readyHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /egk8s/ready", g.ready)
	return mux
}

func (g *Gateway) ready(w http.ResponseWriter, _ *http.Request) {
	if reason := g.unready(); reason != "" {
		writeText(w, http.StatusServiceUnavailable, reason+"\n")
		return
	}
	if g.consumers != nil && g.consumers.status != nil {
		for _, problem := range second(g.consumers.status()) {
			if problem.Code == redisUnavailable { // most requests go on, so clients may come
				writeText(w, http.StatusOK, "ready, without Redis: who is not remembered gets 503\n")
				return
			}
		}
	}
	writeText(w, http.StatusOK, "ready\n")
}

func second[A, B any](_ A, b B) B { return b }

// metricsHandler answers /metrics.
func (g *Gateway) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		if err := g.metrics.write(w, g.Digest()); err != nil {
			g.log.Debug("write metrics", "error", err)
		}
	})
	return mux
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a prober that is gone needs no answer
}
