package deviation

// upstreams is how services are reached. The reasons stand in docs/reference/upstreams.md.
func upstreams() []Deviation {
	return []Deviation{
		{
			ID:    "upstream-addresses",
			There: "the host of a `url` is looked up for every new connection, and one of its addresses is used",
			Here: "it is looked up beside the requests, every 1.3 s for the name of a Service, and all its addresses, such as the pods of a " +
				"headless Service, take turns inside the turn of their `url`",
		},
		{
			ID:    "upstream-dead",
			There: "a target of `urls` that is down keeps its turn: each of its requests is a 502",
			Here: "a request that found no connection goes to the next target, and one that failed three times in a row sits out for a second, " +
				"then longer; never more than half of them, nor the last one",
			Notice: "a target of urls that is down is passed over instead of answering 502 in its turn",
		},
		{
			ID:    "upstream-retries",
			There: "a request whose connection ends before the answer is a 502",
			Here:  "an idempotent one of which no body was read is sent again, within a budget",
		},
		{
			ID:    "upstream-timeouts",
			There: "a service may take for ever",
			Here:  "502 when no connection is open after 5 s, or no answer has begun after 10 minutes",
		},
		{
			ID:    "upstream-circuit",
			There: "any number of requests wait for a service",
			Here:  "beyond 10,000 in flight for one service the answer is 503 with `Retry-After`; a `circuitBreaker` in the file sets other limits",
		},
		{
			ID:    "upstream-strategy",
			There: "`strategy` is `round-robin`, anything else is refused",
			Here:  "`least-request` is accepted too",
		},
	}
}
