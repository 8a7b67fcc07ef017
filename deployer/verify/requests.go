package verify

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"egk8s.dev/egk8s/gateway/offline"
)

// Declared is a probe of egk8s.yaml with its variables filled in.
type Declared struct {
	Method, Path, Host string
	Headers            map[string]string
	Expect             int
}

// Address is where the Service answers inside the cluster.
type Address struct {
	IP          string // of the Service
	HTTP, HTTPS int    // ports; 0: none
}

func (a Address) url(path string) string {
	scheme, port := "http", a.HTTP
	if port == 0 {
		scheme, port = "https", a.HTTPS
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return scheme + "://" + net.JoinHostPort(a.IP, strconv.Itoa(port)) + path
}

// Probe is one request of a verification and what it proves.
type Probe struct {
	Name     string
	Declared bool
	Proxy    string // the service endpoint behind a derived probe; empty: none
	Auth     bool
	Endpoint string // apiEndpoint of a derived probe

	request request
}

// request is a request as the prober reads it (docs/reference/prober.md).
type request struct {
	ID      string            `json:"id"`
	Method  string            `json:"method,omitempty"`
	URL     string            `json:"url"`
	Host    string            `json:"host,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Expect  int               `json:"expect,omitempty"`
	Retry   []int             `json:"retry,omitempty"`

	path string
}

type spec struct {
	Requests   []request `json:"requests"`
	Config     string    `json:"config,omitempty"`
	IntervalMs int       `json:"intervalMs"`
	TimeoutMs  int       `json:"timeoutMs"`
	DeadlineMs int       `json:"deadlineMs"`
	Steady     *steady   `json:"steady,omitempty"`
}

// Probes are the declared probes and one per route of the gateway's config.
func Probes(at Address, declared []Declared, routes []offline.Route) []Probe {
	var out []Probe
	for i, d := range declared {
		method := cmp.Or(d.Method, http.MethodGet)
		out = append(out, Probe{
			Name: method + " " + d.Path, Declared: true,
			request: request{
				ID: "declared-" + strconv.Itoa(i), Method: method, URL: at.url(d.Path), Host: d.Host,
				Headers: d.Headers, Expect: d.Expect, path: d.Path,
			},
		})
	}
	for i, r := range routes {
		if r.Path == "" || !readOnly(r.Method) {
			continue
		}
		out = append(out, Probe{
			Name: r.Endpoint, Endpoint: r.Endpoint, Proxy: r.Proxy, Auth: r.Auth,
			request: request{
				ID: "route-" + strconv.Itoa(i), Method: r.Method, URL: at.url(r.Path), Host: r.Host, path: r.Path,
				Retry: []int{0, http.StatusNotFound, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
			},
		})
	}
	return out
}

// readOnly: a probe that nobody declared changes nothing.
func readOnly(method string) bool {
	return method == "" || method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// Answer is one attempt as the prober reports it.
type Answer struct {
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	Status  int    `json:"status"`
	Type    string `json:"type"`
	Body    string `json:"body"`
	Error   string `json:"error"`
	By      string `json:"by"`      // gateway or upstream
	Config  string `json:"config"`  // digest of the configuration that routed it; empty: not the one asked for
	Timeout bool   `json:"timeout"` // the attempt ended because it took too long
	Final   bool   `json:"final"`
	End     bool   `json:"end"` // the prober has ended
}

// The outcomes of a probe.
const (
	OK      = "ok"
	Warning = "warning"
	Wrong   = "failed"
)

// Result is what a probe showed.
type Result struct {
	Name, Method, Path, Host string
	Status                   int
	Outcome                  string
	Message                  string
}

// Judge says what the last answer to a probe means; nil: there was none. answers tells that the gateway
// answered other probes: then a service behind it that takes longer than an attempt is to blame.
func (p Probe) Judge(a *Answer, answers bool) Result {
	r := Result{Name: p.Name, Method: cmp.Or(p.request.Method, http.MethodGet), Path: p.request.path, Host: p.request.Host, Outcome: OK}
	if a == nil {
		a = &Answer{Error: "the prober sent nothing"}
	}
	r.Status = a.Status
	switch {
	case p.Declared && a.Final:
	case answers && p.Slow(a):
		r.Outcome, r.Message = Warning, fmt.Sprintf("the service behind it, %q, does not answer in time", p.Proxy)
	case a.Status == 0:
		r.Outcome, r.Message = Wrong, "no answer: "+a.Error
	case a.Config == "" && !a.Final:
		r.Outcome, r.Message = Wrong, fmt.Sprintf("answered %d, and not by a gateway with this configuration", a.Status)
	case p.Declared:
		r.Outcome, r.Message = Wrong, fmt.Sprintf("answered %d, expected %d", a.Status, p.request.Expect)
	case a.Final && a.Status == http.StatusInternalServerError:
		r.Outcome, r.Message = Warning, "answered 500"
	case a.Final:
	case a.Status == http.StatusNotFound:
		notFound(&r, a)
	case p.Proxy != "":
		r.Outcome, r.Message = Warning, fmt.Sprintf("the service behind it, %q, does not answer (HTTP %d)", p.Proxy, a.Status)
	default:
		r.Outcome, r.Message = Wrong, fmt.Sprintf("answered %d", a.Status)
	}
	return r
}

// notFound tells the 404 of a gateway without a route from one that a terminate policy gives. (One of
// the service behind is final: it was routed.)
func notFound(r *Result, a *Answer) {
	if strings.Contains(a.Body, "Cannot "+r.Method+" ") {
		r.Outcome, r.Message = Wrong, "the gateway has no route for it (HTTP 404)"
	}
}

// Slow tells whether an answer may have failed to come in time because of a service behind the gateway.
func (p Probe) Slow(a *Answer) bool {
	return a.Timeout && a.Status == 0 && !p.Declared && p.Proxy != ""
}

// Right tells whether an answer is a right one: what timeToFirstAnswerMs counts to.
func (p Probe) Right(a *Answer) bool { return a.Final }

// ID is the name of the probe in the prober's answers.
func (p Probe) ID() string { return p.request.ID }
