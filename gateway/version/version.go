// Package version holds the version that the linker wrote into the program.
package version

// Version is set at link time (-ldflags "-X …/gateway/version.Version=v1.2.3").
//
//nolint:gochecknoglobals // the linker can only set a package variable
var Version = "devel"

// Commit is the commit that was built, set like Version; empty when unknown.
//
//nolint:gochecknoglobals // the linker can only set a package variable
var Commit string

// Date is when Commit was made (RFC 3339), set like Version; empty when unknown.
//
//nolint:gochecknoglobals // the linker can only set a package variable
var Date string
