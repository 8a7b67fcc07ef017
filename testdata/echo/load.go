package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// report is what the client saw; it is printed as one line of JSON when the run ends.
type report struct {
	Sent int `json:"sent"`
	// Answers counts by status; 0 is a request that got no answer.
	Answers map[string]int `json:"answers"`
	// Marks counts answers by the value of the header named by --mark, to see behaviour change.
	Marks  map[string]int `json:"marks,omitempty"`
	Errors []string       `json:"errors,omitempty"` // the first ten
	P99Ms  float64        `json:"p99Ms"`
}

// load sends requests at a steady rate until the duration is over or SIGTERM comes: every second
// one on a connection of its own, the others on kept connections.
func load(args []string) int {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	url := flags.String("url", "", "where to send requests")
	rate := flags.Int("rate", 200, "requests per second")
	duration := flags.Duration("duration", time.Minute, "how long")
	header := flags.String("header", "", "one header, as Name: value")
	mark := flags.String("mark", "", "response header to count by")
	_ = flags.Parse(args)

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *duration)
	defer cancel()

	c := newClient(*url, *header, *mark)
	ticker := time.NewTicker(time.Second / time.Duration(*rate))
	defer ticker.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		select {
		case <-ctx.Done():
		case <-ticker.C:
			c.running.Add(1)
			go c.send(n%2 == 0)
		}
	}
	c.running.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(c.result()); err != nil {
		return 1
	}
	return 0
}

type client struct {
	url, header, mark string
	kept, fresh       *http.Client
	running           sync.WaitGroup

	mu     sync.Mutex
	report report
	times  []time.Duration
}

func newClient(url, header, mark string) *client {
	transport := func(keep bool) *http.Client {
		return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
			DisableKeepAlives: !keep, MaxIdleConnsPerHost: 8, MaxIdleConns: 8,
		}}
	}
	return &client{
		url: url, header: header, mark: mark, kept: transport(true), fresh: transport(false),
		report: report{Answers: map[string]int{}, Marks: map[string]int{}},
	}
}

func (c *client) send(fresh bool) {
	defer c.running.Done()
	use := c.kept
	if fresh {
		use = c.fresh
	}
	start := time.Now()
	status, mark, err := c.request(use)
	took := time.Since(start)

	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Sent++
	c.report.Answers[strconv.Itoa(status)]++
	c.times = append(c.times, took)
	if c.mark != "" {
		c.report.Marks[mark]++
	}
	if err != nil && len(c.report.Errors) < 10 {
		c.report.Errors = append(c.report.Errors, fmt.Sprintf("%s fresh=%t: %v", start.UTC().Format("15:04:05.000"), fresh, err))
	}
}

func (c *client) request(use *http.Client) (status int, mark string, err error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, c.url, nil)
	if err != nil {
		return 0, "", err
	}
	if name, value, ok := strings.Cut(c.header, ":"); ok {
		req.Header.Set(name, strings.TrimSpace(value))
	}
	res, err := use.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, res.Header.Get(c.mark), err
}

func (c *client) result() report {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.times)
	if n := len(c.times); n > 0 {
		c.report.P99Ms = float64(c.times[n*99/100].Microseconds()) / 1000
	}
	return c.report
}
