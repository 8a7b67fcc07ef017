package cli

import (
	"context"
	"flag"
	"fmt"
	"time"

	"egk8s.dev/egk8s/testdata/cluster/internal/image"
	"egk8s.dev/egk8s/testdata/cluster/internal/kube"
	"egk8s.dev/egk8s/testdata/cluster/internal/state"
)

// askLimit is how long status waits for the API server.
const askLimit = 5 * time.Second

func runStatus(ctx context.Context, a *app, args []string) (int, error) {
	c, _, err := a.named("status", args, 0)
	if err != nil {
		return exitUsage, err
	}
	s, err := state.Read(c.State())
	if err != nil {
		return exitError, err
	}
	switch {
	case s == nil:
		fmt.Fprintf(a.Out, "cluster %s: none\n", c.Name)
		return exitError, nil
	case !s.Running() && s.Phase == state.Failed:
		fmt.Fprintf(a.Out, "cluster %s: failed: %s\nlogs: %s\n", c.Name, s.Error, c.Logs())
		return exitError, nil
	case !s.Running():
		fmt.Fprintf(a.Out, "cluster %s: was killed; egkube up or egkube down cleans up\n", c.Name)
		return exitError, nil
	case s.Phase != state.Ready:
		fmt.Fprintf(a.Out, "cluster %s: %s\n", c.Name, s.Phase)
		return exitError, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	client, err := kube.NewClient(c.Kubeconfig())
	if err != nil {
		return exitError, err
	}
	ready, err := client.ReadyNodes(ctx)
	if err != nil {
		return exitError, err
	}
	fmt.Fprintf(a.Out, "cluster %s: ready, %d of %d nodes ready\nserver:     %s\nregistry:   %s\nkubeconfig: %s\nlogs:       %s\n",
		c.Name, ready, s.Nodes, s.Server, s.Host, c.Kubeconfig(), c.Logs())
	if ready < s.Nodes {
		return exitError, nil
	}
	return exitDone, nil
}

func runKubeconfig(_ context.Context, a *app, args []string) (int, error) {
	c, _, err := a.named("kubeconfig", args, 0)
	if err != nil {
		return exitUsage, err
	}
	s, err := state.Read(c.State())
	if err != nil {
		return exitError, err
	}
	if !s.Running() {
		return exitError, fmt.Errorf("cluster %s does not run; start it with egkube up --name %s", c.Name, c.Name)
	}
	fmt.Fprintln(a.Out, c.Kubeconfig())
	return exitDone, nil
}

func runImage(_ context.Context, a *app, args []string) (int, error) {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	o := image.Options{}
	flags.StringVar(&o.Binary, "binary", "", "statically linked program")
	flags.StringVar(&o.Name, "name", "", "reference of the image, with a tag")
	flags.StringVar(&o.User, "user", "65532:65532", "numeric user and group")
	out := flags.String("o", "", "archive to write")
	if _, err := a.parse(flags, args, 0); err != nil {
		return exitUsage, err
	}
	if o.Binary == "" || o.Name == "" || *out == "" {
		return exitUsage, usageError{fmt.Errorf("image: --binary, --name and -o are needed")}
	}
	if err := image.WriteFile(o, *out); err != nil {
		return exitError, err
	}
	return exitDone, nil
}
