package deviation

// traffic are the policies that limit and change messages.
func traffic() []Deviation {
	return []Deviation{
		{
			ID:    "rate-limit-address",
			There: "the key of `rate-limit` is the address of the connection, so behind a load balancer all clients share one counter",
			Here:  "the same, unless the settings name trusted proxies: then it is the client's address that they report",
		},
		{
			ID:    "rate-limit-client-gone",
			There: "a delayed request whose client went away is sent to the service all the same",
			Here:  "it ends",
		},
		{
			ID:    "rewrite-lonely",
			There: "a `rewrite` step without `pathmatch` or `regexpmatch` is a 500 for every request, without a word before",
			Here:  "the same, and a warning when loading; a `rewrite` that cannot be filled in by its `pathmatch` is refused when loading",
		},
	}
}
