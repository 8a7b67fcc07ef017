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
			ID:     "json-schema-refs",
			There:  "a `$ref` of a `json-schema` condition to another document is fetched from the network when loading",
			Here:   "refused when loading: put what it names below `definitions` of the schema",
			Notice: "a schema of json-schema may refer to itself only, nothing is fetched",
		},
		{
			ID:    "body-depth",
			There: "a JSON body of 100 kB may nest 50,000 levels deep, and alternatives that refer to themselves are checked for as long as it takes",
			Here:  "a body nested deeper than 512 levels is a 400; one whose check takes more than 200,000 steps does not match",
		},
		{
			ID:    "rewrite-lonely",
			There: "a `rewrite` step without `pathmatch` or `regexpmatch` is a 500 for every request, without a word before",
			Here:  "the same, and a warning when loading; a `rewrite` that cannot be filled in by its `pathmatch` is refused when loading",
		},
	}
}
