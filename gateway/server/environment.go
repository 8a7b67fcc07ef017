package server

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// environment is what the process's surroundings say, read once.
type environment struct {
	// expected is the digest that the configuration must have; not empty: the gateway runs in a pod.
	expected string

	// Addresses; empty: not given. That of ready answers the readiness path only, for load balancers
	// that probe from outside.
	http, https, admin, status, metrics, ready string

	delay, drain time.Duration
	hasDelay     bool
	hasDrain     bool

	noWatch   bool
	logLevel  string
	json      bool
	httpProxy string
	nonce     string // of the prober; empty: no request is a probe
	memory    string // GOMEMLIMIT
	collector string // GOGC
	access    string // which requests are logged; empty: not said

	redisPassword string // of the Redis; empty: that of the configuration

	adminTokens []string // of the Admin API; none: it asks for none
}

// pod tells whether the gateway runs in a pod that egk8s made.
func (e *environment) pod() bool { return e.expected != "" }

// readEnvironment reads the variables. A duration that is none is an error.
func readEnvironment(o *Options) (*environment, error) {
	get := func(name string) string {
		value, _ := o.LookupEnv(name)
		return value
	}
	e := &environment{
		expected: get("EGK8S_CONFIG_DIGEST"),
		http:     get("EGK8S_HTTP_ADDRESS"), https: get("EGK8S_HTTPS_ADDRESS"), admin: get("EGK8S_ADMIN_ADDRESS"),
		status:   cmp.Or(o.StatusAddress, get("EGK8S_STATUS_ADDRESS")),
		metrics:  cmp.Or(o.MetricsAddress, get("EGK8S_METRICS_ADDRESS")),
		noWatch:  get("EG_DISABLE_CONFIG_WATCH") != "",
		ready:    get("EGK8S_READY_ADDRESS"),
		logLevel: get("LOG_LEVEL"),
		// Whoever can read the pod knows its digest; a client outside does not.
		nonce:  get("EGK8S_CONFIG_DIGEST"),
		memory: get("GOMEMLIMIT"), collector: get("GOGC"),
		access: get("EGK8S_ACCESS_LOG"), redisPassword: get("EGK8S_REDIS_PASSWORD"),
	}
	e.httpProxy = cmp.Or(get("http_proxy"), get("HTTP_PROXY"))
	e.json = e.pod() || strings.EqualFold(get("EGK8S_LOG_FORMAT"), "json")
	var err error
	if e.adminTokens, err = adminTokens(get("EGK8S_ADMIN_TOKEN")); err != nil {
		return nil, err
	}
	if e.delay, e.hasDelay, err = duration("EGK8S_DRAIN_DELAY", get("EGK8S_DRAIN_DELAY")); err != nil {
		return nil, err
	}
	if e.drain, e.hasDrain, err = duration("EGK8S_DRAIN_TIMEOUT", get("EGK8S_DRAIN_TIMEOUT")); err != nil {
		return nil, err
	}
	return e, nil
}

// duration reads "5s" or a plain number of seconds.
func duration(name, value string) (time.Duration, bool, error) {
	if value == "" {
		return 0, false, nil
	}
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, false, fmt.Errorf("read %s: %q is no duration such as 5s", name, value)
	}
	return d, true, nil
}
