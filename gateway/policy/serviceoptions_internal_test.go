package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/upstream"
)

func TestServiceOptions(t *testing.T) {
	t.Parallel()
	raw := map[string]any{
		"strategy":  "least-request",
		"discovery": map[string]any{"enabled": false, "interval": "5s", "srv": "_http._tcp"},
		"ejection":  map[string]any{"failures": 5.0, "serverErrors": 6.0, "time": "500ms", "maxTime": 60000.0, "maxShare": 30.0},
		"timeouts":  map[string]any{"connect": "1s", "response": 3000.0, "idle": "10s"},
		"retries":   map[string]any{"attempts": 1.0, "budget": 10.0, "minPerSecond": 5.0},
		"healthCheck": map[string]any{
			"path": "/healthz", "interval": 0.0, "timeout": "1s", "healthy": 2.0, "unhealthy": 4.0, "expect": []any{200.0, 204.0},
		},
		"circuitBreaker": map[string]any{"maxRequests": 100.0, "maxPerEndpoint": 10.0, "failures": 7.0, "time": "9s"},
	}
	options, balance := serviceOptions(params{"secure": true}, params{"strategy": "round-robin"}, config.ServiceEndpoint{Raw: raw}, "")
	if diff := cmp.Diff(upstream.Options{ConnectTimeout: time.Second, IdleTimeout: 10 * time.Second}, options); diff != "" {
		t.Error(diff)
	}
	want := upstream.Balance{
		Response:  3 * time.Second,
		Strategy:  upstream.LeastRequest,
		Discovery: upstream.Discovery{Off: true, Interval: 5 * time.Second, SRV: "_http._tcp"},
		Ejection:  upstream.Ejection{Failures: 5, ServerErrors: 6, Time: 500 * time.Millisecond, MaxTime: time.Minute, MaxShare: 30},
		Retries:   upstream.Retries{Attempts: 1, Budget: 10, MinPerSecond: 5},
		Health:    upstream.Health{Path: "/healthz", Interval: shortest, Timeout: time.Second, Healthy: 2, Unhealthy: 4, From: 200, To: 204},
		Breaker:   upstream.Breaker{MaxRequests: 100, MaxPerEndpoint: 10, Failures: 7, Time: 9 * time.Second},
	}
	if diff := cmp.Diff(want, balance); diff != "" {
		t.Error(diff)
	}
	options, balance = serviceOptions(params{"secure": true}, params{"strategy": "round-robin"}, config.ServiceEndpoint{}, "")
	if diff := cmp.Diff(upstream.DefaultBalance(), balance); diff != "" || options != (upstream.Options{}) {
		t.Errorf("%+v %s", options, diff)
	}
}

func TestStrategyPrecedence(t *testing.T) {
	t.Parallel()
	least := map[string]any{"strategy": "least-request"}
	round := map[string]any{"strategy": "round-robin"}
	nested := func(m map[string]any) params { return params{"strategy": "round-robin", "proxyOptions": m} }
	tests := []struct {
		name          string
		keys, options map[string]any
		action        params
		want          string
	}{
		{"the default", nil, nil, round, "round-robin"},
		{"the action's", nil, nil, least, "least-request"},
		{"the service's over the action's", least, nil, round, "least-request"},
		{"its proxyOptions over that", round, least, round, "least-request"},
		{"the action's proxyOptions over all", least, least, nested(round), "round-robin"},
	}
	for _, tt := range tests {
		if got := strategy(tt.keys, tt.action, config.ServiceEndpoint{ProxyOptions: tt.options}); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
