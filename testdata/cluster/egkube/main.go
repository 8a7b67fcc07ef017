//go:build linux

// Command egkube runs a real Kubernetes on this machine for tests and trials.
// See the README beside this module's go.mod.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"egk8s.dev/egk8s/testdata/cluster/internal/cli"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
