package policy

import (
	"embed"

	"egk8s.dev/egk8s/gateway/config/schema"
)

// Schemas holds schemas/NAME.json of every policy of Express Gateway 1.16.11, of the rewrite plugin and of
// what else is built in.
//
//go:embed schemas/*.json
var Schemas embed.FS

// ReadSchemas returns the JSON Schema of every policy by the policy's name, the built ones and the others.
func ReadSchemas() (map[string]map[string]any, error) {
	return schema.ReadDir(Schemas, "schemas")
}
