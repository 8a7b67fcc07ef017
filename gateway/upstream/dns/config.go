package dns

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// Config says whom to ask and which names to try. See resolv.conf(5) and hosts(5).
type Config struct {
	// Servers are the addresses of name servers with their ports, in the order in which they are asked.
	// Empty: the operating system resolves.
	Servers []string
	// Search are the domains that are tried behind a name with fewer than Ndots dots.
	Search []string
	Ndots  int
	// Timeout is how long one server has for one answer; Attempts is how often each is asked.
	Timeout  time.Duration
	Attempts int
	// TCP asks over TCP only.
	TCP bool
	// Hosts are fixed addresses by lower-case name.
	Hosts map[string][]netip.Addr
}

const (
	maxServers = 3 // as the C library: more are not asked
	maxNdots   = 15
	// maxTimeout is below resolv.conf's default of 5 s: a name server that just went away must not hold
	// a look-up back for longer than a new pod may take to be found.
	maxTimeout = time.Second
)

func defaults() Config {
	return Config{Ndots: 1, Timeout: maxTimeout, Attempts: 2}
}

// ReadConfig reads the two files; where there is none, the defaults stand. It is cheap enough for every look-up,
// so that a change is seen.
func ReadConfig(resolvFile, hostsFile string) (Config, error) {
	c := defaults()
	err := readLines(resolvFile, c.resolvLine)
	if err == nil {
		c.Hosts = map[string][]netip.Addr{}
		err = readLines(hostsFile, c.hostsLine)
	}
	return c, err
}

func readLines(file string, line func(fields []string)) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read name servers: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if fields := strings.Fields(text); len(fields) > 1 && text[0] != ';' {
			line(fields)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read name servers: %w", err)
	}
	return nil
}

func (c *Config) resolvLine(fields []string) {
	switch fields[0] {
	case "nameserver":
		if a, err := netip.ParseAddr(fields[1]); err == nil && len(c.Servers) < maxServers {
			c.Servers = append(c.Servers, net.JoinHostPort(a.String(), "53"))
		}
	case "domain":
		c.Search = fields[1:2]
	case "search":
		c.Search = fields[1:]
	case "options":
		for _, o := range fields[1:] {
			c.option(o)
		}
	}
}

func (c *Config) option(text string) {
	name, value, _ := strings.Cut(text, ":")
	n, err := strconv.Atoi(value)
	if name == "use-vc" {
		c.TCP = true
	}
	if err != nil || n < 0 {
		return
	}
	switch name {
	case "ndots":
		c.Ndots = min(n, maxNdots)
	case "timeout":
		c.Timeout = min(max(time.Duration(n)*time.Second, 100*time.Millisecond), maxTimeout)
	case "attempts":
		c.Attempts = min(max(n, 1), 5)
	}
}

func (c *Config) hostsLine(fields []string) {
	a, err := netip.ParseAddr(fields[0])
	if err != nil {
		return
	}
	for _, name := range fields[1:] {
		name = strings.ToLower(name)
		c.Hosts[name] = append(c.Hosts[name], a)
	}
}

// candidates are the absolute names to try for a name, in order, without the last dot.
func (c *Config) candidates(name string) []string {
	if bare, ok := strings.CutSuffix(name, "."); ok {
		return []string{bare}
	}
	var list []string
	for _, domain := range c.Search {
		if domain = strings.Trim(domain, "."); domain != "" {
			list = append(list, name+"."+domain)
		}
	}
	if strings.Count(name, ".") >= c.Ndots {
		return append([]string{name}, list...)
	}
	return append(list, name)
}
