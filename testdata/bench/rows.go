package main

import (
	"context"
	"strings"
)

// row is one contestant.
type row struct {
	name, what string
	start      func(b *bench, ctx context.Context, r *row) (*process, error)
	prepare    func(ctx context.Context, b *bench, r *row) error // what its Admin API has to be told
	steps      string                                            // of the pipeline, before the proxy
	routes     int                                               // 0: one that takes everything
	consumers  int                                               // in a file; 0: in memory

	path, header string
	port, admin  string
	process      *process
	idle         int // bytes resident before the first load
	results      []result
}

// The rows that the goals compare.
const (
	rowNginx   = "nginx"
	rowProxy   = "egk8s"
	rowChain   = "egk8s-chain"
	rowJWT     = "egk8s-jwt"
	rowLarge   = "egk8s-large"
	rowEG      = "express-gateway"
	rowEGChain = "express-gateway-chain"
)

func rows() []*row {
	const chain = "key-auth, rate-limit by consumer, proxy; everything in memory"
	list := []*row{
		{name: "direct", what: "the service itself", start: func(b *bench, _ context.Context, r *row) (*process, error) {
			r.port = b.backend
			return b.service, nil
		}},
		{name: rowNginx, what: "proxy_pass, two workers, no access log", start: (*bench).startNginx},
		{name: "haproxy", what: "proxy, connections shared, no log", start: (*bench).startHAProxy},
		{name: "reverse-proxy", what: "Go's httputil.ReverseProxy, tuned, no log", start: (*bench).startReverseProxy},
		{name: rowEG, what: "Express Gateway 1.16.11: proxy", start: (*bench).startExpressGateway},
		{name: rowEGChain, what: "Express Gateway: " + chain, start: (*bench).startExpressGateway, steps: chainSteps, prepare: createKey},
		{name: rowProxy, what: "ours: proxy", start: (*bench).startGateway},
		{name: rowChain, what: "ours: " + chain, start: (*bench).startGateway, steps: chainSteps, prepare: createKey},
		{
			name: rowJWT, what: "ours: jwt (RS256, credential checked), proxy; the same token again and again", start: (*bench).startGateway,
			steps: "    - jwt: [{action: {secretOrPublicKeyFile: {{public}}, algorithms: [RS256]}}]\n", prepare: createToken,
		},
		{
			name: rowLarge, what: "ours: proxy behind 1,000 routes, with 10,000 consumers in a file", start: (*bench).startGateway,
			routes: manyRoutes, consumers: manyConsumers, path: "/api/item777/x",
		},
	}
	for _, r := range list {
		if r.path == "" {
			r.path = "/"
		}
	}
	return list
}

// wanted tells whether a row is to run.
func (o *options) wanted(r *row) bool {
	if o.profile != "" {
		return r.name == rowProxy || r.name == rowChain || r.name == rowJWT
	}
	return r.name == rowNginx || strings.Contains(r.name, o.only)
}
