// Packlayer makes finished image layers of gateway binaries, for embedding into egk8s:
//
//	packlayer -out deployer/image/embedded -version 1.2.3 bin/linux-amd64/egk8s-gateway …
package main

import (
	"flag"
	"fmt"
	"os"

	"egk8s.dev/egk8s/deployer/image"
)

func main() {
	out := flag.String("out", "", "folder that takes the layers and their list")
	version := flag.String("version", "", "version of the gateway")
	flag.Parse()
	if *out == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: packlayer -out DIR [-version V] GATEWAY…")
		os.Exit(2)
	}
	if err := image.Pack(*out, *version, flag.Args()...); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
