package deviation

// traffic are the policies that limit and change messages.
func traffic() []Deviation { //nolint:funlen // a table
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
			ID: "response-body-chunks",
			There: "`response-transformer` looks at the first chunk of a body: it leaves JSON in several chunks as it is, and so a field that " +
				"should be removed reaches the client",
			Here: "the whole JSON body is changed, up to 1 MiB; a larger one goes on as it is, which the log tells. Compressed bodies, " +
				"`text/event-stream` and gRPC go on as they are, and so does what is no JSON by its type and has no length",
			Cases:  []string{"restrans-chunked"},
			Notice: "response-transformer changes JSON bodies of up to 1 MiB however they are sent; Express Gateway changes those in one chunk only",
		},
		{
			ID: "transformer-throws",
			There: "an expression in body rules of `request-transformer` that throws ends the process, one in header rules of " +
				"`response-transformer` breaks the answer",
			Here: "the request is a 500; the answer goes without that field, and the log tells it",
		},
		{
			ID:    "transformer-undefined",
			There: "a header whose expression is `undefined` is a 500 in `request-transformer`",
			Here:  "the header is removed, also when the client sent it",
		},
		{
			ID: "request-body-again",
			There: "`request-transformer` behind `json-schema` or another `request-transformer` turns a form into JSON, and sends a body " +
				"that came compressed with its old `Content-Encoding`",
			Here: "a form stays a form, and `Content-Encoding` goes away with the compression",
		},
		{
			ID:     "transformer-framing",
			There:  "the transformers can set `Content-Length`, `Transfer-Encoding`, `Connection` and the like, which breaks the message",
			Here:   "those are not set, and a warning tells it when loading",
			Notice: "headers that frame a message, such as content-length, are not set by the transformers",
		},
		{
			ID:    "json-schema-refs",
			There: "a `$ref` of a `json-schema` condition to another document is fetched from the network when loading",
			Here:  "refused when loading: put what it names below `definitions` of the schema",
		},
		{
			ID:    "body-depth",
			There: "a JSON body of 100 kB may nest 50,000 levels deep, and alternatives that refer to themselves are checked for as long as it takes",
			Here:  "a body nested deeper than 512 levels is a 400; one whose check takes more than 200,000 steps does not match",
		},
		{
			ID: "transformer-capitals",
			There: "a header that `request-transformer` adds with capitals in its name does not replace what the client sent under that name: " +
				"the client's value reaches the service",
			Here: "the added value replaces it",
		},
		{
			ID: "url-characters",
			There: "a backslash in a path reaches the service as a slash, what stands behind a `#` does not reach it, and a path with bytes " +
				"beyond ASCII is a 400",
			Here: "a request's target is sent on as it is, but that several slashes in a row become one as there",
		},
		{
			ID:    "rewrite-nothing",
			There: "a URL that `rewrite` makes empty is a 404",
			Here:  "it is `/`",
		},
		{
			ID:    "rewrite-lonely",
			There: "a `rewrite` step without `pathmatch` or `regexpmatch` is a 500 for every request, without a word before",
			Here:  "the same, and a warning when loading; a `rewrite` that cannot be filled in by its `pathmatch` is refused when loading",
		},
	}
}
