//go:build embedgateway

// Package embedded holds the finished image layers that `make build` packs, when built with the tag
// embedgateway. Without the tag it is empty.
package embedded

import "embed"

//go:embed layers.json *.tar.gz
var files embed.FS

// FS is the folder with layers.json and the layers; false when this program carries none.
func FS() (embed.FS, bool) { return files, true }
