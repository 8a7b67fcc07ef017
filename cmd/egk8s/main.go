// Command egk8s puts an API gateway on a Kubernetes cluster and proves that it serves.
package main

import (
	"os"

	"egk8s.dev/egk8s/cmd/internal/cli"
	_ "egk8s.dev/egk8s/cmd/internal/report/termguard" // must be initialised before bubbletea
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
