package deviation

func requests() []Deviation { //nolint:funlen // a table
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
		{
			ID:    "framing",
			There: "a request with two `Host` fields, or a path in `Host`, is served; so is one of HTTP/0.9",
			Here:  "400, as for every request whose end two servers could see in different places",
		},
		{
			ID: "limits",
			There: "16 KiB of headers, as many as fit; a silent client is cut off after 90 s in a head, never in a body, and never when it " +
				"takes no answer",
			Here: "64 KiB and 200 fields (431), targets of 16 KiB (414); 10 s for a head, 30 s of silence in a body (408), 60 s without " +
				"taking anything of an answer; all of them settings",
		},
		{
			ID:     "newer-http",
			There:  "clients speak HTTP/1.1",
			Here:   "HTTP/2 too, over TLS where the client offers it, and in the clear with prior knowledge",
			Notice: "clients that offer it speak HTTP/2 over https",
		},
		{
			ID:    "tls-ciphers",
			There: "`https.options` takes everything that node's TLS server takes",
			Here: "`requestCert`, `rejectUnauthorized`, `minVersion`, `maxVersion` and `ciphers`; a version that is unknown, and ciphers of " +
				"which none is known, stop the start",
		},
	}
}
