package condition

import (
	"embed"

	"egk8s.dev/egk8s/gateway/config/schema"
)

// Schemas holds the schema of every condition of Express Gateway 1.16.11 and of the rewrite plugin.
//
// The files of the plugin's conditions have a prefix: pathmatch.json beside pathMatch.json
// would be one file where case does not count.
//
//go:embed schemas/*.json
var Schemas embed.FS

// ReadSchemas returns the JSON Schema of every condition by the condition's name, the built ones and the others.
func ReadSchemas() (map[string]map[string]any, error) {
	return schema.ReadDir(Schemas, "schemas")
}
