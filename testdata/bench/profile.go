package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"

	"egk8s.dev/egk8s/gateway/server"
)

// part is where a row's own profile goes.
func (b *bench) part(r *row) string { return filepath.Join(b.dir, r.name+".pprof") }

// profileRows loads our rows with a CPU profile and merges what they saw. The compiler lays the program out
// by it (profile-guided optimisation), when it is named default.pgo beside the main package.
func (b *bench) profileRows(ctx context.Context) error {
	if err := b.startRows(ctx); err != nil {
		return err
	}
	args := []string{"tool", "pprof", "-proto", "-output=" + b.profile}
	for _, r := range b.rows {
		if err := b.measure(ctx, r); err != nil {
			return err
		}
		r.process.stop()
		args = append(args, b.part(r))
	}
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("merge profiles: %w: %s", err, out)
	}
	info, err := os.Stat(b.profile)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d rows, %d kB\n", b.profile, len(b.rows), info.Size()/1000)
	return nil
}

// profiledGateway is egk8s-gateway with a CPU profile of its whole life.
func profiledGateway(args []string) error {
	set := flag.NewFlagSet("gateway", flag.ExitOnError)
	file := set.String("profile", "", "")
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	o := server.Options{LookupEnv: os.LookupEnv, Output: os.Stdout, Signals: signals}
	set.StringVar(&o.ConfigDir, "config-dir", "", "")
	set.StringVar(&o.StatusAddress, "status-address", "", "")
	set.StringVar(&o.MetricsAddress, "metrics-address", "", "")
	if err := set.Parse(args); err != nil {
		return err
	}
	out, err := os.Create(*file)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return server.Run(context.Background(), o)
}
