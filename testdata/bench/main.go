// Command bench compares the gateway with other proxies, and with Express Gateway, on this machine: CPU per
// request, rate, latency and memory, all rows in one run, everything on loopback and bounded in time.
//
// It is run by make bench, which writes docs/performance.md, and by make pgo. A program that is missing costs
// its rows only, with a line that says how to install it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

type options struct {
	gateway string        // binary of ours
	egDir   string        // folder in which the npm package express-gateway is installed
	rounds  int           // measurements of every row, in turn
	length  time.Duration // of one measurement
	conns   int           // connections that the load keeps busy
	only    string        // part of the names of the rows to run, besides nginx
	docs    string        // file with the marked section to write; empty: print only
	profile string        // write a CPU profile of our rows here and compare nothing
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 { // some rows run this program again
		switch args[0] {
		case "reverse-proxy":
			return reverseProxy(args[1:])
		case "service":
			return service(args[1:])
		case "gateway":
			return profiledGateway(args[1:])
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flag.StringVar(&o.gateway, "gateway", "bin/egk8s-gateway", "`BINARY` of our gateway")
	flag.StringVar(&o.egDir, "express-gateway", os.Getenv("EG_DIR"), "`DIR` in which npm installed express-gateway")
	flag.IntVar(&o.rounds, "rounds", 3, "measurements of every row")
	flag.DurationVar(&o.length, "length", 6*time.Second, "of one measurement")
	flag.IntVar(&o.conns, "connections", 64, "connections that ask all the time")
	flag.StringVar(&o.only, "only", "", "run nginx and the rows whose name contains `TEXT`")
	flag.StringVar(&o.docs, "docs", "", "`FILE` with the section to write")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of our rows to `FILE`")
	flag.Parse()
	if flag.NArg() > 0 || o.rounds < 1 || o.length < time.Second || o.conns < 1 {
		return errors.New("usage: bench [flags]; see -help")
	}
	dir, err := os.MkdirTemp("", "egk8s-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.gateway, err = filepath.Abs(o.gateway); err != nil {
		return err
	}
	b := &bench{options: o, dir: dir}
	defer b.stop()
	if o.profile != "" {
		return b.profileRows(ctx)
	}
	return b.compare(ctx)
}
