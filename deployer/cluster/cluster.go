// Package cluster is the only package that talks to a Kubernetes API server: it turns a kubeconfig
// into a connection, reads facts, and applies, lists, watches and deletes objects. It decides nothing.
package cluster
