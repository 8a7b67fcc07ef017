package schema

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// ReadDir reads every *.json file of dir as a schema. The key is the base name of the schema's $id
// without ".json": the name of the policy, condition or model that it describes.
func ReadDir(fsys fs.FS, dir string) (map[string]map[string]any, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list schemas in %s: %w", dir, err)
	}
	docs := make(map[string]map[string]any, len(names))
	for _, file := range names {
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("read schema: %w", err)
		}
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			return nil, fmt.Errorf("read schema %s: %w", file, err)
		}
		id, _ := doc["$id"].(string)
		if id == "" {
			return nil, fmt.Errorf("read schema %s: it has no $id", file)
		}
		docs[strings.TrimSuffix(path.Base(id), ".json")] = doc
	}
	return docs, nil
}
