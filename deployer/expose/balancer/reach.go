package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// Answer is what came back from an address.
type Answer struct {
	URL    string
	Good   bool // the gateway with the right configuration answered
	Status int  // 0: nothing answered
	// NoName: the name does not exist. Other reasons for no answer are in Err.
	NoName bool
	Err    error
}

// Asker asks addresses whether the gateway with the configuration of a digest is behind them.
type Asker struct {
	Config string
	// NameServer is asked for the names instead of this machine's; HOST:PORT; empty: this machine's.
	NameServer string
}

// patience is how long one address may take.
const patience = 3 * time.Second

func (a *Asker) resolver() *net.Resolver {
	if a.NameServer == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, a.NameServer)
	}}
}

// Ask asks every address, all at the same time.
func (a *Asker) Ask(ctx context.Context, urls []string) []Answer {
	dialer := &net.Dialer{Resolver: a.resolver()}
	client := &http.Client{
		Timeout: patience,
		Transport: &http.Transport{
			DisableKeepAlives: true, DialContext: dialer.DialContext,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // whether it answers, not whom a client trusts
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	out := make([]Answer, len(urls))
	done := make(chan int)
	for i, u := range urls {
		go func() {
			out[i] = a.ask(ctx, client, u)
			done <- i
		}()
	}
	for range urls {
		<-done
	}
	return out
}

func (a *Asker) ask(ctx context.Context, client *http.Client, url string) Answer {
	answer := Answer{URL: url}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/", http.NoBody)
	if err != nil {
		answer.Err = err
		return answer
	}
	req.Header.Set("Egk8s-Probe", a.Config)
	resp, err := client.Do(req)
	if err != nil {
		answer.Err, answer.NoName = err, noSuchName(err)
		return answer
	}
	_ = resp.Body.Close()
	answer.Status = resp.StatusCode
	answer.Good = a.Config != "" && resp.Header.Get("Egk8s-Config") == a.Config
	return answer
}

func noSuchName(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

// Known tells whether a name exists; a name server that does not answer leaves that open, as true.
func (a *Asker) Known(ctx context.Context, name string) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := a.resolver().LookupHost(ctx, name)
	return err == nil || !noSuchName(err)
}

// URLs are the addresses under which the release should answer, the one to hand out first.
func (s *Site) URLs(w *Wanted) []string {
	scheme, port := "http", w.Ports.HTTP
	if w.Way == Instances {
		port = listenHTTP
	}
	if w.Ports.HTTP == 0 {
		scheme, port = "https", w.Ports.HTTPS
		if w.Way == Instances {
			port = listenHTTPS
		}
	}
	var hosts []string
	if host := s.Host(w); host != "" {
		hosts = append(hosts, host)
	}
	hosts = append(hosts, s.addresses(w)...)
	out := make([]string, len(hosts))
	for i, host := range hosts {
		out[i] = scheme + "://" + host
		if port != listenHTTP && port != listenHTTPS {
			out[i] = scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port))
		}
	}
	return out
}

// addresses are those of the instances, or of the nodes, in the network from which clients come.
func (s *Site) addresses(w *Wanted) []string {
	machines := s.Ours
	if w.Way == Names {
		machines = s.Nodes
	}
	var out []string
	for _, m := range machines {
		ips := slices.Clone(m.IPs)
		if m.Primary != "" { // that of the first network
			ips = []string{m.Primary}
		}
		if len(ips) > 0 && m.State == triton.Running {
			out = append(out, ips[0])
		}
	}
	const most = 3
	return out[:min(most, len(out))]
}

// Await asks until the addresses are good, or cannot be expected to become so. After a change they must be good several
// times in a row once the settle time has passed: names and load balancers learn of it late, and for some seconds may
// still answer from what was. It returns the answers on which it judges.
func Await(ctx context.Context, clock triton.Clock, changed bool, settle time.Duration, ask func(context.Context) []Answer) ([]Answer, error) {
	begun, row := clock.Now(), 0
	var bad []Answer // the last that were not all good
	const tries = 3
	limit := settle + settle/2 + grace
	if !changed {
		limit = grace
	}
	for {
		answers := ask(ctx)
		if ctx.Err() != nil {
			return answers, context.Cause(ctx)
		}
		passed := clock.Now().Sub(begun)
		row++
		if !good(answers) {
			row, bad = 0, answers
		}
		switch {
		case row > 0 && !changed, row >= tries && passed >= settle:
			return answers, nil
		case passed >= limit:
			return bad, nil // good ones in between prove nothing
		}
		select {
		case <-ctx.Done():
			return answers, context.Cause(ctx)
		case <-clock.After(lookEvery):
		}
	}
}

const (
	lookEvery = 2 * time.Second
	grace     = 6 * time.Second // for an answer that was lost
)

// good tells whether every address is: one instance of two that does not work loses every second request.
func good(answers []Answer) bool {
	return len(answers) > 0 && !slices.ContainsFunc(answers, func(a Answer) bool { return !a.Good })
}

// Best is the address to hand out; empty: none is good.
func Best(answers []Answer) string {
	i := slices.IndexFunc(answers, func(a Answer) bool { return a.Good })
	if i < 0 {
		return ""
	}
	return answers[i].URL
}
