// Command egk8s-gateway is the API gateway: it reads Express Gateway's configuration and serves it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	p := program{
		args: os.Args[1:], out: os.Stdout, errs: os.Stderr, in: os.Stdin,
		lookup: os.LookupEnv, signals: signals,
	}
	os.Exit(p.run(context.Background()))
}
