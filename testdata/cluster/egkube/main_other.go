//go:build !linux

// Command egkube runs a real Kubernetes on this machine for tests and trials.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintf(os.Stderr, "egkube: needs Linux, this is %s; use kind, or any cluster that your kubeconfig names\n", runtime.GOOS)
	os.Exit(2)
}
