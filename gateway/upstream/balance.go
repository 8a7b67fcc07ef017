package upstream

import "time"

// Strategy says how the endpoint of a request is chosen.
type Strategy int

// The strategies.
const (
	// RoundRobin gives each configured URL one turn, and inside a URL each of its addresses.
	RoundRobin Strategy = iota
	// LeastRequest takes the endpoint with the fewest requests in flight, of all or of two chosen at random.
	LeastRequest
)

// Balance says how requests are spread over a service's endpoints and what becomes of endpoints that fail.
// Two services with equal URLs, options and Balance are one. See docs/reference/upstreams.md for the reasons.
type Balance struct {
	// Response is how long an answer may take to begin.
	Response  time.Duration
	Strategy  Strategy
	Discovery Discovery
	Ejection  Ejection
	Retries   Retries
	Health    Health
	Breaker   Breaker
}

// Discovery says how the host of a URL becomes endpoints.
type Discovery struct {
	// Off dials the host by its name, as one endpoint.
	Off bool
	// Interval is the longest time between two look-ups; 0: 1.3 s for names of Services, 30 s for others.
	Interval time.Duration
	// SRV is put in front of the host, as in "_http._tcp", to ask for SRV records; empty: addresses.
	SRV string
}

// Ejection is the passive health check: endpoints whose connections fail sit out.
type Ejection struct {
	// Failures is after how many failures in a row; 0: never.
	Failures int
	// ServerErrors is after how many answers 502, 503 or 504 in a row; 0: never.
	ServerErrors int
	// Time is how long the first time; it doubles each time up to MaxTime.
	Time, MaxTime time.Duration
	// MaxShare is the percentage of a service's endpoints that may sit out at once: at least one of
	// several, never the last.
	MaxShare int
}

// Retries say when a request that got no answer is sent again.
type Retries struct {
	// Attempts is how often again; 0: never.
	Attempts int
	// Budget is the percentage of requests of the last 10 s that may be sent again, MinPerSecond what is
	// allowed in any case. Connections that could not even be opened are not counted.
	Budget, MinPerSecond int
}

// Health is the active check; it is off without Path.
type Health struct {
	Path              string
	Interval, Timeout time.Duration
	// Healthy and Unhealthy are how many results in a row change an endpoint's state.
	Healthy, Unhealthy int
	// From and To are the statuses that count as healthy.
	From, To int
}

// Breaker bounds what a service can take of the gateway.
type Breaker struct {
	// MaxRequests and MaxPerEndpoint bound the requests in flight; 0: unbounded.
	MaxRequests, MaxPerEndpoint int
	// Failures is after how many failed requests in a row nothing is sent for Time; 0: never.
	Failures int
	Time     time.Duration
}

// DefaultBalance is what a service has that says nothing.
func DefaultBalance() Balance {
	return Balance{
		Response: 10 * time.Minute, // so that nothing waits for ever; the slowest long poll is faster
		Ejection: Ejection{Failures: 3, Time: time.Second, MaxTime: 30 * time.Second, MaxShare: 50},
		Retries:  Retries{Attempts: 2, Budget: 20, MinPerSecond: 10},
		Health:   Health{Interval: 10 * time.Second, Timeout: 2 * time.Second, Healthy: 1, Unhealthy: 3, From: 200, To: 399},
		Breaker:  Breaker{MaxRequests: 10000, Time: 5 * time.Second},
	}
}
