// Package sandbox is a small init: it runs a list of programs in order, inside
// namespaces of its own when it is root, and ends with all of them.
package sandbox

// Spec is what one sandbox runs.
type Spec struct {
	Name string `json:"name"`
	// Isolated says that the sandbox has namespaces of its own.
	Isolated bool `json:"isolated,omitempty"`
	// Root, when set, is the root file system that is put together first.
	Root *Root `json:"root,omitempty"`
	// Sysctls are written below /proc/sys before anything starts.
	Sysctls map[string]string `json:"sysctls,omitempty"`
	// Environment is added to that of every program.
	Environment []string  `json:"environment,omitempty"`
	Programs    []Program `json:"programs"`
}

// Program is a program that runs as long as the sandbox does: when it ends, the
// sandbox ends with an error. Programs are stopped last first.
type Program struct {
	Name string   `json:"name"`
	Path string   `json:"path"`
	Args []string `json:"args"`
	Log  string   `json:"log"`
	// After is what must answer before the program starts.
	After *Target `json:"after,omitempty"`
}

// Target is something that answers: a socket, or a URL once it returns 200.
type Target struct {
	// Network and Address are those of a plain socket.
	Network string `json:"network,omitempty"`
	Address string `json:"address,omitempty"`
	// URL is asked instead, trusting the authority in CA and with the client
	// certificate in Cert and Key, if any.
	URL  string `json:"url,omitempty"`
	CA   string `json:"ca,omitempty"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
}

// Event is a line that the sandbox writes to its standard output.
type Event struct {
	Program string `json:"program,omitempty"`
	// Kind is started, exited or failed.
	Kind string `json:"kind"`
	PID  int    `json:"pid,omitempty"`
	Note string `json:"note,omitempty"`
}
