package deviation

func requests() []Deviation {
	return []Deviation{
		{
			ID:     "consumer-header",
			There:  "a header `eg-consumer-id` sent by the client reaches the backend when nobody authenticated: anybody can pose as anybody",
			Here:   "it is removed",
			Cases:  []string{"key-client-consumer-header", "proxy-consumer-header-spoof"},
			Notice: "an eg-consumer-id header that a client sends is removed where nobody authenticated",
		},
		{
			ID:     "websocket",
			There:  "a WebSocket upgrade is proxied as a plain request; `ws` has no effect",
			Here:   "it is proxied as what it is",
			Notice: "WebSocket upgrades are proxied, with and without ws",
		},
		{
			ID:    "malformed-escape",
			There: "a percent sign without two hex digits in the target is a 400 in a parameter, and part of the path elsewhere",
			Here:  "400 anywhere in the path, as plain text",
		},
		{
			ID:    "target-not-ascii",
			There: "a target with bytes that are not ASCII is a 400 (Node 20)",
			Here:  "it is routed and passed on as it is",
		},
		{
			ID:    "drain",
			There: "SIGTERM ends the process and cuts the requests in flight",
			Here:  "readiness goes off, requests in flight are finished",
		},
		{
			ID:    "framing-lookalikes",
			There: "`Transfer_Encoding` and `Content_Length` reach the backend, which may take them for the fields with a dash",
			Here:  "they are removed",
		},
		{
			ID:    "broken-answer",
			There: "an answer that breaks off half-way ends the client's answer as if it were whole",
			Here:  "the connection to the client is cut too, so that it cannot look whole",
		},
		{
			ID:    "broken-chunks",
			There: "a broken chunked body of the client is a 502",
			Here:  "400, where the service has not answered yet",
		},
	}
}
