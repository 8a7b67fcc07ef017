// Package message is the gateway's own view of an HTTP exchange: the only HTTP types that policies see.
//
// The engine below (net/http today) can change without touching one policy: it fills a Request,
// hands in a Sink, and everything else here is plain values.
package message

import "regexp"

// Exchange is one request with its answer on the way through a pipeline.
// It belongs to one goroutine and must not be kept after the pipeline ended: engines reuse it.
type Exchange struct {
	Request  Request
	Response Response

	// Endpoint is what the router matched; nil before that.
	Endpoint *Endpoint
	// Match is what the last pathmatch or regexpmatch condition matched; nil: none did.
	// EG: egContext.matchedCondition of the rewrite plugin.
	Match *Match
	// Upstream is the host and port of the service that was asked last; empty: none was. It is for logs.
	Upstream string
	// Context is what expressions put into egContext for later steps; nil: nothing yet.
	Context map[string]any

	// requestID names the exchange towards backends and in logs; see ID.
	requestID string
}

// Endpoint is one path of an apiEndpoint, as the router matched it.
type Endpoint struct {
	Name     string   // key in apiEndpoints
	Pipeline string   // name of its pipeline; empty: none
	Pattern  string   // the path pattern that matched; empty with Regexp
	Regexp   bool     // matched by pathRegex
	Scopes   []string // what a credential must carry
	// Params returns the decoded parameters of a path that Pattern matches; nil: there are none.
	Params func(path string) map[string]string
	// Stats is what the engine counts requests of this endpoint with; set before the first one, nil: nothing.
	Stats any
	// Raw is the entry as written, for expressions; never change it.
	Raw map[string]any
}

// Match is how a condition of the rewrite plugin matched the URL.
type Match struct {
	// Regexp is the expression of regexpmatch; nil: it was pathmatch.
	Regexp *regexp.Regexp
	// Params are the parameters of pathmatch as they stand in the URL.
	Params map[string]string
}

// Verdict is what a policy decided about the exchange.
type Verdict int

// The verdicts.
const (
	Continue Verdict = iota // the next step has its turn
	Answered                // the response is written; no further step runs
)

// Reset makes the exchange ready for the next request and forgets everything of the last one.
func (x *Exchange) Reset() { *x = Exchange{} }

// ID returns the request id: a uuid v4 in base 62, as Express Gateway makes it, created on first use.
func (x *Exchange) ID() string {
	if x.requestID == "" {
		x.requestID = newID()
	}
	return x.requestID
}

// HasID tells whether ID was asked for already; logs use it to avoid creating one.
func (x *Exchange) HasID() bool { return x.requestID != "" }
