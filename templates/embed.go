// Package templates carries what egk8s writes or reads as data: project scaffolds, cloud profiles,
// pipelines for CI systems, the published Role.
package templates

import "embed"

// FS is the content of this folder.
//
//go:embed all:project all:clouds all:ci all:rbac
var FS embed.FS
