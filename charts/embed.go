// Package charts carries the Helm chart of the gateway.
package charts

import "embed"

// FS holds the chart as the folder egk8s-gateway.
//
//go:embed all:egk8s-gateway
var FS embed.FS
