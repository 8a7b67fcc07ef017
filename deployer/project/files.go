package project

// File is one file of the config folder.
type File struct {
	Path   string // relative to the config folder, with slashes
	Data   []byte
	Secret bool // it goes into the Secret, and its content is never shown
}

// Files are what a deploy takes to the cluster: every file but the consumers is in Config, sorted
// bytewise by Path.
type Files struct {
	Config    []File
	Consumers *File // nil: the project has none; Path is its base name
}
