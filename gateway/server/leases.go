package server

import (
	"fmt"
	"strings"
)

// writeLeases prints how often rate limits asked Redis.
func (g *Gateway) writeLeases(b *strings.Builder) {
	blocks, failures := g.shared.Taken()
	b.WriteString("# HELP egk8s_rate_limit_blocks_total Blocks of requests that rate limits took from Redis.\n" +
		"# TYPE egk8s_rate_limit_blocks_total counter\n")
	fmt.Fprintf(b, "egk8s_rate_limit_blocks_total %d\n", blocks)
	b.WriteString("# HELP egk8s_rate_limit_failures_total How often Redis did not answer a rate limit.\n" +
		"# TYPE egk8s_rate_limit_failures_total counter\n")
	fmt.Fprintf(b, "egk8s_rate_limit_failures_total %d\n", failures)
}
