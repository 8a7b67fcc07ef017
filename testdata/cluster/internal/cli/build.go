package cli

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"egk8s.dev/egk8s/testdata/cluster/internal/build"
)

func runBuild(ctx context.Context, a *app, args []string) (int, error) {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	source := flags.String("source", "", "folder testdata/cluster of egk8s")
	if _, err := a.parse(flags, args, 0); err != nil {
		return exitUsage, err
	}
	dir, err := a.build(ctx, *source)
	if err != nil {
		return exitError, err
	}
	fmt.Fprintln(a.Out, dir)
	return exitDone, nil
}

// build returns the folder of the compiled programs.
func (a *app) build(ctx context.Context, source string) (string, error) {
	source, err := a.source(source)
	if err != nil {
		return "", err
	}
	if err := a.owner.MakeDir(filepath.Join(a.cache.Dir, "build")); err != nil {
		return "", err
	}
	dir, err := build.Ensure(ctx, build.Options{
		Source: source, Cache: a.cache, Out: a.Err, Credential: a.owner.Credential(), Home: a.owner.Home,
	})
	if err != nil {
		return "", err
	}
	return dir, a.owner.Give(dir)
}

func (a *app) source(source string) (string, error) {
	if source != "" {
		return build.FindSource(source)
	}
	here, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find sources: %w", err)
	}
	return build.FindSource(here)
}
