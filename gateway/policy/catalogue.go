package policy

import (
	"fmt"

	"egk8s.dev/egk8s/gateway/condition"
	"egk8s.dev/egk8s/gateway/config"
)

// Catalogue is every policy and condition that this gateway knows. Built is true for those it can run;
// the others are known by their schemas only, so that files which name them can be checked.
func Catalogue() (config.Catalogue, error) {
	docs, err := ReadSchemas()
	if err != nil {
		return config.Catalogue{}, fmt.Errorf("read policy schemas: %w", err)
	}
	conditions, err := condition.Catalogue()
	if err != nil {
		return config.Catalogue{}, fmt.Errorf("read condition schemas: %w", err)
	}
	built := constructors()
	policies := make(map[string]config.Entry, len(docs))
	for name, doc := range docs {
		policies[name] = config.Entry{Schema: doc, Built: built[name] != nil}
	}
	return config.Catalogue{Policies: policies, Conditions: conditions}, nil
}
