package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// result is one measurement of one row.
type result struct {
	requests int
	elapsed  time.Duration
	p50, p99 time.Duration
	failed   int
	cpu      time.Duration
	resident int
}

func (r result) perRequest() float64 {
	return float64(r.cpu.Nanoseconds()) / 1000 / float64(max(r.requests, 1))
}

// load keeps the row's connections busy: with wrk where there is one, which is in C and takes little of the
// machine, else by itself.
func (b *bench) load(ctx context.Context, r *row, length time.Duration) (result, error) {
	url := "http://127.0.0.1:" + r.port + r.path
	if wrk, err := exec.LookPath("wrk"); err == nil {
		args := []string{"-t1", fmt.Sprint("-c", b.conns), fmt.Sprintf("-d%ds", int(length.Seconds())), "--latency"}
		if r.header != "" {
			args = append(args, "-H", r.header)
		}
		out, err := exec.CommandContext(ctx, wrk, append(args, url)...).Output()
		if err != nil {
			return result{}, fmt.Errorf("wrk: %w", err)
		}
		return parseWrk(string(out))
	}
	return goLoad(ctx, r, b.conns, length)
}

func parseWrk(out string) (result, error) {
	var r result
	find := func(pattern string) []string { return regexp.MustCompile(pattern).FindStringSubmatch(out) }
	done := find(`(\d+) requests in ([\d.]+\w+)`)
	if done == nil {
		return r, fmt.Errorf("wrk printed no requests: %s", out)
	}
	r.requests, _ = strconv.Atoi(done[1])
	r.elapsed, _ = time.ParseDuration(done[2])
	if m := find(`50%\s+([\d.]+\w+)`); m != nil {
		r.p50, _ = time.ParseDuration(m[1])
	}
	if m := find(`99%\s+([\d.]+\w+)`); m != nil {
		r.p99, _ = time.ParseDuration(m[1])
	}
	if m := find(`Non-2xx or 3xx responses: (\d+)`); m != nil {
		r.failed, _ = strconv.Atoi(m[1])
	}
	if m := find(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`); m != nil {
		for _, n := range m[1:] {
			more, _ := strconv.Atoi(n)
			r.failed += more
		}
	}
	return r, nil
}

// goLoad is what there is without wrk. The rates are lower then, as it shares the cores; CPU per request stays right.
func goLoad(ctx context.Context, r *row, conns int, length time.Duration) (result, error) {
	var (
		mu    sync.Mutex
		all   sync.WaitGroup
		total result
		times []time.Duration
		text  = "GET " + r.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + r.port + "\r\n"
		began = time.Now()
	)
	if r.header != "" {
		text += r.header + "\r\n"
	}
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	for range conns {
		all.Go(func() {
			mine, failed := ask(ctx, r.port, text+"\r\n")
			mu.Lock()
			defer mu.Unlock()
			times = append(times, mine...)
			total.failed += failed
		})
	}
	all.Wait()
	total.elapsed, total.requests = time.Since(began), len(times)
	if len(times) == 0 {
		return total, fmt.Errorf("%s answered nothing", r.name)
	}
	slices.Sort(times)
	total.p50, total.p99 = times[len(times)/2], times[len(times)*99/100]
	return total, nil
}

// ask sends a request again and again on one connection until the time is over or the connection breaks.
func ask(ctx context.Context, port, request string) (times []time.Duration, failed int) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		return nil, 1
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for ctx.Err() == nil {
		began := time.Now()
		if _, err := io.WriteString(conn, request); err != nil {
			return times, failed + 1
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return times, failed + 1
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			failed++
		}
		times = append(times, time.Since(began))
	}
	return times, failed
}

// get sends one request and returns status and body.
func get(ctx context.Context, r *row) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+r.port+r.path, nil)
	if err != nil {
		return 0, "", err
	}
	if name, value, ok := strings.Cut(r.header, ": "); ok {
		req.Header.Set(name, value)
	}
	resp, err := (&http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}
