// Package story holds the tests that run whole clusters: go test -tags root
// needs root, go test -tags controlplane does not.
package story
