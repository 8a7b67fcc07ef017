// Command demo is egk8s's main job from nothing to an answer: a cluster, two APIs, a gateway in
// front of them, requests through it, and a changed configuration. `make demo` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	contextName := flag.String("context", "", "kubeconfig context to use instead of a cluster of the demo's own")
	repository := flag.String("repository", "", "registry path that this machine can push to and the cluster can pull from")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *contextName, *repository); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, contextName, repository string) error {
	start := time.Now()
	say("1. a cluster")
	place, err := findPlace(ctx, contextName)
	if err != nil {
		return err
	}
	place.repository = repository
	say("2. two APIs behind it: customers (two Services) and orders (one)")
	if err := place.deployBackends(ctx); err != nil {
		return err
	}
	say("3. a project: an Express Gateway configuration, and a key for alice")
	shop, err := newProject(ctx, place)
	if err != nil {
		return err
	}
	defer shop.remove()
	say("4. egk8s deploy")
	if err := shop.deploy(ctx); err != nil {
		return err
	}
	say("5. requests through the gateway in the pods")
	if err := shop.request(ctx, firstStory(shop.key)); err != nil {
		return err
	}
	say("6. the configuration changes: the old API is gone for good, and says so")
	if err := shop.retireLegacy(); err != nil {
		return err
	}
	if err := shop.deploy(ctx); err != nil {
		return err
	}
	if err := shop.request(ctx, secondStory(shop.key)); err != nil {
		return err
	}
	say(fmt.Sprintf("Done in %s. Look around, then clean up:", time.Since(start).Round(time.Second)))
	place.farewell()
	return nil
}

func say(text string) { fmt.Printf("\n\033[1m%s\033[0m\n", text) }
