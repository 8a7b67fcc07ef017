// Release builds everything that a release consists of, into DIR/VERSION: archives of egk8s and of the gateway,
// the chart, the gateway image, software bills of materials, the install script, a Homebrew formula, a krew
// manifest and the checksums of all. The same sources, version and SOURCE_DATE_EPOCH give the same bytes.
//
//	go run ./cmd/release -version v1.2.3 -out dist [-platforms linux/amd64,…] [-url https://…]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const gatewayPlatforms = "linux/amd64,linux/arm64"

const allPlatforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

// release is what is known before anything is built.
type release struct {
	Version string // as git names it
	commit  string
	date    time.Time // of the commit; the time of every file
	url     string    // under which each version has a folder
	root    string    // of the sources
	out     string    // folder of this version
	work    string

	platforms []platform // of egk8s
	gateways  []platform // in the image
	Archives  []archive  // of egk8s, in the order of the platforms
}

type platform struct{ OS, Arch string }

func (p platform) String() string { return p.OS + "/" + p.Arch }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	version := flags.String("version", "", "`VERSION` of the release")
	commit := flags.String("commit", "", "`COMMIT` that is built")
	out := flags.String("out", "dist", "`DIR` that takes a folder named after the version")
	platforms := flags.String("platforms", allPlatforms, "`PLATFORMS` to build egk8s for")
	gateways := flags.String("gateways", gatewayPlatforms, "`PLATFORMS` of the gateway and its image; a release has all")
	url := flags.String("url", "", "`URL` under which each version has a folder (default: that of install.sh)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := newRelease(*version, *commit, *url)
	if err != nil {
		return err
	}
	if r.platforms, err = parsePlatforms("platforms", *platforms, allPlatforms); err != nil {
		return err
	}
	if r.gateways, err = parsePlatforms("gateways", *gateways, gatewayPlatforms); err != nil {
		return err
	}
	if err := r.folders(*out); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	return r.build(ctx)
}

func newRelease(version, commit, url string) (*release, error) {
	if version == "" {
		return nil, fmt.Errorf("-version is missing")
	}
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+_-]*$`).MatchString(version) {
		return nil, fmt.Errorf("-version %q cannot be part of a file name", version)
	}
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH: want the time of the commit in seconds: %w", err)
	}
	r := &release{Version: version, commit: commit, date: time.Unix(seconds, 0).UTC(), url: strings.TrimRight(url, "/"), root: "."}
	if r.url == "" {
		if r.url, err = releasesURL(filepath.Join(r.root, "install.sh")); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// folders makes the folder of the version, empty, and one to work in.
func (r *release) folders(out string) (err error) {
	r.out = filepath.Join(out, r.Version)
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	r.work, err = os.MkdirTemp("", "egk8s-release-")
	return err
}

func parsePlatforms(flag, list, allowed string) ([]platform, error) {
	var platforms []platform
	for name := range strings.SplitSeq(list, ",") {
		if !strings.Contains(","+allowed+",", ","+name+",") {
			return nil, fmt.Errorf("-%s: %q is not one of %s", flag, name, allowed)
		}
		system, arch, _ := strings.Cut(name, "/")
		platforms = append(platforms, platform{OS: system, Arch: arch})
	}
	return platforms, nil
}

var releasesLine = regexp.MustCompile(`(?m)^releases_url=(\S+)$`)

// releasesURL reads where the project's releases are: install.sh is the one place that says it.
func releasesURL(script string) (string, error) {
	text, err := os.ReadFile(script)
	if err != nil {
		return "", err
	}
	found := releasesLine.FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%s: no line releases_url=…", script)
	}
	return string(found[1]), nil
}

func (r *release) build(ctx context.Context) error {
	extras, err := r.extras()
	if err != nil {
		return err
	}
	gateways, err := r.buildGateways(ctx, extras)
	if err != nil {
		return err
	}
	if err := r.image(gateways); err != nil {
		return err
	}
	if err := r.programs(ctx, extras); err != nil {
		return err
	}
	if err := r.chart(); err != nil {
		return err
	}
	if err := r.installers(); err != nil {
		return err
	}
	return r.checksums()
}
