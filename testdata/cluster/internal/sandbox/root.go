package sandbox

// Root is a root file system put together from pieces of the machine's: its
// programs read-only, its devices, a /proc and /run of the sandbox's own, and a
// /var that lies in Dir.
type Root struct {
	// Dir is an empty folder.
	Dir string `json:"dir"`
	// Binds are folders of the machine that are shown at their own paths.
	Binds []string `json:"binds,omitempty"`
}
