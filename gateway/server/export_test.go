package server

import "context"

// Reload takes the files over now.
func Reload(g *Gateway) { g.reload(context.Background()) }
