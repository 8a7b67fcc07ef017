package policy

import (
	"time"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/upstream"
)

// shortest bounds what runs at an interval: nobody's name server or service is to be flooded by a slip of the pen.
const shortest = 100 * time.Millisecond

// serviceOptions reads how a service is reached and balanced: the keys of its serviceEndpoint beside url and
// proxyOptions, which Express Gateway does not look at. Their schema was checked when the file was loaded.
func serviceOptions(merged, action params, service config.ServiceEndpoint, environment string) (upstream.Options, upstream.Balance) {
	keys := params(service.Raw)
	o, b := connectionOptions(merged, environment), upstream.DefaultBalance()
	timeouts := keys.object("timeouts")
	timeouts.duration("connect", &o.ConnectTimeout)
	timeouts.duration("response", &b.Response)
	timeouts.duration("idle", &o.IdleTimeout)

	if strategy(keys, action, service) == "least-request" {
		b.Strategy = upstream.LeastRequest
	}
	discovery := keys.object("discovery")
	if on, written := discovery["enabled"].(bool); written {
		b.Discovery.Off = !on
	}
	if discovery.duration("interval", &b.Discovery.Interval) {
		b.Discovery.Interval = max(b.Discovery.Interval, shortest)
	}
	b.Discovery.SRV = discovery.text("srv")

	ejection := keys.object("ejection")
	ejection.count("failures", &b.Ejection.Failures)
	ejection.count("serverErrors", &b.Ejection.ServerErrors)
	ejection.duration("time", &b.Ejection.Time)
	ejection.duration("maxTime", &b.Ejection.MaxTime)
	ejection.count("maxShare", &b.Ejection.MaxShare)

	retries := keys.object("retries")
	retries.count("attempts", &b.Retries.Attempts)
	retries.count("budget", &b.Retries.Budget)
	retries.count("minPerSecond", &b.Retries.MinPerSecond)

	breaker := keys.object("circuitBreaker")
	breaker.count("maxRequests", &b.Breaker.MaxRequests)
	breaker.count("maxPerEndpoint", &b.Breaker.MaxPerEndpoint)
	breaker.count("failures", &b.Breaker.Failures)
	breaker.duration("time", &b.Breaker.Time)

	health := keys.object("healthCheck")
	b.Health.Path = health.text("path")
	health.duration("interval", &b.Health.Interval)
	health.duration("timeout", &b.Health.Timeout)
	b.Health.Interval, b.Health.Timeout = max(b.Health.Interval, shortest), max(b.Health.Timeout, shortest)
	health.count("healthy", &b.Health.Healthy)
	health.count("unhealthy", &b.Health.Unhealthy)
	if status, one := health.number("expect"); one {
		b.Health.From, b.Health.To = status, status
	} else if list, ok := health["expect"].([]any); ok && len(list) == 2 {
		from, _ := list[0].(float64)
		to, _ := list[1].(float64)
		b.Health.From, b.Health.To = int(from), int(to)
	}
	return o, b
}

// strategy is the first that is written: the action's own key has a default, so it says nothing when it is that.
func strategy(keys, action params, service config.ServiceEndpoint) string {
	for _, layer := range []params{action.object("proxyOptions"), service.ProxyOptions, keys, action} {
		if s := layer.text("strategy"); s != "" {
			return s
		}
	}
	return ""
}

// count reads a whole number into n where there is one.
func (p params) count(name string, n *int) {
	if v, ok := p.number(name); ok {
		*n = v
	}
}

// duration reads "5s", or a number of milliseconds as in proxyTimeout, into d where there is one.
func (p params) duration(name string, d *time.Duration) bool {
	if ms, ok := p[name].(float64); ok {
		*d = time.Duration(ms * float64(time.Millisecond))
		return true
	}
	v, err := time.ParseDuration(p.text(name))
	if err == nil {
		*d = v
	}
	return err == nil
}
