package config

// Catalogue is what a gateway build knows: every policy and condition by name.
// The gateway's own is policy.Catalogue(); the loader never asks for more than this.
type Catalogue struct {
	Policies   map[string]Entry
	Conditions map[string]Entry
}

// Entry is one known policy or condition.
type Entry struct {
	// Schema is a JSON Schema (draft-07) of the action's or condition's parameters, with defaults.
	Schema map[string]any
	// Built is false for a policy whose schema is known, so that real files validate,
	// but which this gateway cannot run yet.
	Built bool
}
