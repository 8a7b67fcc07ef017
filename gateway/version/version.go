// Package version holds the version that the linker wrote into the program.
package version

// Version is set at link time (-ldflags "-X …/gateway/version.Version=v1.2.3").
//
//nolint:gochecknoglobals // the linker can only set a package variable
var Version = "devel"
