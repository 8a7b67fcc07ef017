package deviation

func policies() []Deviation { //nolint:funlen // a table
	return []Deviation{
		{
			ID:    "expressions",
			There: "expressions run in V8 without limits: an endless loop stops the gateway; a wrong one shows when a request meets it",
			Here: "common forms are compiled, the others run in an interpreter (see [ADR 11](adr/0011-javascript-in-a-fence.md)) for 80 ms and with " +
				"16 MiB at most, else the request is a 500; a wrong one still starts, with a warning that names its line, and its requests are 500",
		},
		{
			ID:    "expression-language",
			There: "all of V8",
			Here: "no `eval`, `Function`, `Proxy`, `Reflect`, `Promise`, typed arrays, `BigInt`, generators, `async`, `with`, no `...rest` in object " +
				"patterns; what uses one of them is a 500, syntax with a warning when loading",
		},
		{
			ID:    "expression-values",
			There: "functions and object identity that a step puts on `egContext`, `req` or `res` are there for later steps",
			Here:  "data is (objects, lists, texts, numbers, dates); functions are not, and each step gets a copy that is written back",
		},
		{
			ID:    "expression-order",
			There: "`req.headers`, `req.query` and `req.user` list their names as they came",
			Here:  "in alphabetical order",
		},
		{
			ID:    "store-unavailable",
			There: "an authentication policy answers 401 or 500 when the store does not answer",
			Here:  "503: nobody could tell whether the credential is good",
		},
		{
			ID:     "redirect-rewrite",
			There:  "`autoRewrite`, `hostRewrite` and `protocolRewrite` end the process at the first redirect",
			Here:   "they rewrite redirects to the service's own address, as http-proxy documents",
			Notice: "autoRewrite, hostRewrite and protocolRewrite rewrite redirects; in Express Gateway they end the process",
		},
		{
			ID:     "strip-path-regex",
			There:  "`stripPath` behind a `pathRegex` fails with 500",
			Here:   "nothing is stripped",
			Notice: "stripPath behind a pathRegex strips nothing; in Express Gateway every such request is a 500",
		},
		{
			ID:     "follow-redirects",
			There:  "with `followRedirects`, `Authorization` goes on to other hosts",
			Here:   "it is removed, and so are cookies; a 307 or 308 of a request with a body is passed to the client",
			Notice: "followed redirects do not carry Authorization or cookies to other hosts",
		},
		{
			ID:    "rate-limit-blocks",
			There: "`rate-limit` asks Redis for every request",
			Here: "replicas take blocks of a twentieth of the limit, so that a little more or less may pass (see [counters](reference/gateway.md#counters-of-rate-limit)); " +
				"`counting: exact` counts every request",
		},
		{
			ID:     "rate-limit-delay",
			There:  "`rate-limit` delays by default: the second request of a window waits one second, the third two…",
			Here:   "it delays only where the file says `delayAfter` or `delayMs`; what is not said of the two has the reference's default",
			Notice: "rate-limit does not delay requests, as neither delayAfter nor delayMs is written",
		},
		{
			ID:     "json-schema-order",
			There:  "a step with the condition `json-schema` runs behind the steps that follow it, and inside `not`, `allOf` and `oneOf` it is a 500",
			Here:   "the step runs in its turn, and the condition may be nested",
			Cases:  []string{"cond-json-schema-nested"},
			Notice: "a json-schema condition is looked at in its turn, before the steps that follow it",
		},
	}
}
