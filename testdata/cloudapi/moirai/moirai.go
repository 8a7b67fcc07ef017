// Package moirai stands for the image cloud-load-balancer in tests: for every such instance of the stub it runs a real
// HAProxy on the instance's address, configured from the instance's metadata as Moirai does (triton-moirai 4d571126).
// Where the stub's networks or firewall would not let it through to a node, it has no server.
package moirai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"egk8s.dev/egk8s/deployer/cloud/triton"
	"egk8s.dev/egk8s/testdata/cloudapi"
)

// Balancers runs the load balancers of a stub.
type Balancers struct {
	Server     *cloudapi.Server
	NameServer string // HOST:PORT of CNS
	Namespace  string // name of the network namespace from which nodes are reached; empty: this one
	Dir        string // for configurations
	Log        io.Writer
	Every      time.Duration // how often it looks at the metadata; Moirai: a minute

	running map[string]*process
}

type process struct {
	config string
	cmd    *exec.Cmd
}

// Run looks and keeps what runs as the metadata says, until ctx ends; then nothing runs any more.
func (b *Balancers) Run(ctx context.Context) error {
	b.running = map[string]*process{}
	defer func() {
		for id := range b.running {
			b.stop(id)
		}
	}()
	tick := time.NewTicker(b.Every)
	defer tick.Stop()
	for {
		if err := b.look(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (b *Balancers) look(ctx context.Context) error {
	machines := b.Server.Machines()
	wanted := map[string]string{}
	for i, m := range machines {
		if m.State == triton.Running && m.Meta("cloud.tritoncompute:loadbalancer") == "true" {
			config, err := b.config(&machines[i], machines)
			if err != nil {
				return err
			}
			wanted[m.ID] = config
		}
	}
	for id, p := range b.running {
		if wanted[id] != p.config {
			b.stop(id)
		}
	}
	for id, config := range wanted {
		if b.running[id] == nil {
			if err := b.start(ctx, id, config); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Balancers) stop(id string) {
	p := b.running[id]
	delete(b.running, id)
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (b *Balancers) start(ctx context.Context, id, config string) error {
	file := filepath.Join(b.Dir, id+".cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "haproxy", "-db", "-f", file)
	cmd.Stdout, cmd.Stderr = b.Log, b.Log
	if err := cmd.Start(); err != nil {
		return err
	}
	b.running[id] = &process{config: config, cmd: cmd}
	return nil
}

// servers are as many nodes as one load balancer leads to here.
const servers = 4

var item = regexp.MustCompile(`^(http|https-http|tcp)://(\d+):([a-z0-9.-]+):(\d+)(?:\{check:([^,}]+)(?:,port:(\d+))?[^}]*\})?$`)

// config renders what Moirai renders from the metadata; entries that it does not know are dropped.
func (b *Balancers) config(m *triton.Machine, all []triton.Machine) (string, error) {
	if len(m.IPs) == 0 {
		return "", errors.New("an instance without an address runs")
	}
	var out strings.Builder
	fmt.Fprintf(&out, `global
  maxconn 1000
defaults
  timeout connect 2s
  timeout client 55s
  timeout server 120s
  retries 1
  option redispatch
resolvers cns
  nameserver cns %s
  accepted_payload_size 8192
  resolve_retries 1
  timeout resolve 500ms
  timeout retry 500ms
  hold valid 1s
  hold nx 1s
`, b.NameServer)
	for _, text := range split(m.Meta("cloud.tritoncompute:portmap")) {
		f := item.FindStringSubmatch(text)
		if f == nil || f[1] == "https-http" { // no certificate is to be had here
			continue
		}
		kind, listen, name, port, check, checkPort := f[1], f[2], f[3], f[4], f[5], f[6]
		if checkPort == "" {
			checkPort = port
		}
		fmt.Fprintf(&out, "listen on-%s\n  bind %s:%s\n  mode %s\n  balance leastconn\n", listen, m.IPs[0], listen, kind)
		if kind == "http" {
			out.WriteString("  option forwardfor\n  dynamic-cookie-key rs\n  cookie CLOUD-TRITONCOMPUTE-RS insert nocache dynamic\n")
		}
		if check != "" {
			fmt.Fprintf(&out, "  option httpchk GET %s\n  http-check expect status 200\n", check)
		}
		if !b.open(m, all, name, port, checkPort) {
			out.WriteString("  server closed 127.0.0.1:1 check inter 500ms\n")
			continue
		}
		namespace := ""
		if b.Namespace != "" {
			namespace = " namespace " + b.Namespace
		}
		for i := range servers { // no server-template: in HAProxy 2.6 only the first of one gets the namespace
			fmt.Fprintf(&out, "  server rs%d %s:%s check port %s inter 500ms fall 2 rise 1 resolvers cns resolve-prefer ipv4 init-addr none%s\n",
				i+1, name, port, checkPort, namespace)
		}
	}
	return out.String(), nil
}

// open asks the stub whether the instance would get through to the nodes of that name.
func (b *Balancers) open(m *triton.Machine, all []triton.Machine, name string, ports ...string) bool {
	label, _, _ := strings.Cut(name, ".")
	for _, n := range all {
		entries, _ := triton.Services(n.Tag(triton.ServicesTag))
		if !slices.ContainsFunc(entries, func(e string) bool { return triton.ServiceLabel(e) == label }) {
			continue
		}
		for _, text := range ports {
			port, err := strconv.Atoi(text)
			if err != nil || !b.Server.Open(m.ID, n.ID, port) {
				return false
			}
		}
	}
	return true
}

// split cuts a portmap at commas and spaces outside of braces.
func split(text string) []string {
	depth := 0
	return strings.FieldsFunc(text, func(c rune) bool {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		}
		return depth == 0 && strings.ContainsRune(", \n", c)
	})
}
