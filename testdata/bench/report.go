package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// find returns a row that was measured.
func (b *bench) find(name string) *row {
	for _, r := range b.rows {
		if r.name == name && len(r.results) > 0 {
			return r
		}
	}
	return nil
}

func (b *bench) cpu(name string) float64 {
	if r := b.find(name); r != nil {
		return r.median(result.perRequest)
	}
	return 0
}

// report is the section of the page.
func (b *bench) report(first time.Duration, allocations int) string {
	var out strings.Builder
	fmt.Fprintf(&out, "One run of %d rounds, every row for %v in each, medians; %d connections on loopback, a service that answers 1 KiB.\n",
		b.rounds, b.length, b.conns)
	fmt.Fprintf(&out, "%s, %d cores, %s. CPU is the user and system time of the proxy's processes; rates and latencies\n", model(), runtime.NumCPU(), runtime.Version())
	out.WriteString("depend on what else the machine does, and the load and the service share its cores: compare inside of the run.\n\n")
	out.WriteString("| row | CPU per request | ÷ nginx | requests/s | p50 | p99 | memory idle | under load | failed |\n|---|---|---|---|---|---|---|---|---|\n")
	nginx := b.cpu(rowNginx)
	for _, r := range b.rows {
		if len(r.results) == 0 {
			continue
		}
		failed := 0
		for _, one := range r.results {
			failed += one.failed
		}
		cpu := r.median(result.perRequest)
		fmt.Fprintf(&out, "| %s | %.1f µs | %s | %.0f | %.2f ms | %.2f ms | %s | %s | %d |\n", r.name, cpu, ratio(cpu, nginx),
			r.median(func(v result) float64 { return float64(v.requests) / v.elapsed.Seconds() }),
			r.median(func(v result) float64 { return v.p50.Seconds() * 1000 }), r.median(func(v result) float64 { return v.p99.Seconds() * 1000 }),
			mebibytes(float64(r.idle)), mebibytes(r.median(func(v result) float64 { return float64(v.resident) })), failed)
	}
	out.WriteString("\n")
	for _, r := range b.rows {
		fmt.Fprintf(&out, "- %s: %s\n", r.name, r.what)
	}
	out.WriteString("\n| goal | limit | here |\n|---|---|---|\n")
	for _, g := range b.goals(first, allocations) {
		fmt.Fprintf(&out, "| %s | %s | %s |\n", g.what, g.limit, g.here)
	}
	return out.String()
}

type goal struct{ what, limit, here string }

func (b *bench) goals(first time.Duration, allocations int) []goal {
	idle := "not measured"
	if r := b.find(rowProxy); r != nil {
		idle = mebibytes(float64(r.idle))
	}
	start, allocated := "not measured", "not measured"
	if first > 0 {
		start = fmt.Sprintf("%.0f ms", first.Seconds()*1000)
	}
	if allocations > 0 {
		allocated = strconv.Itoa(allocations)
	}
	nginx, proxy := b.cpu(rowNginx), b.cpu(rowProxy)
	return []goal{
		{"CPU of a proxied request", "≤ 3.3 × nginx", ratio(proxy, nginx)},
		{"CPU with key-auth and rate-limit", "≤ 4.2 × nginx", ratio(b.cpu(rowChain), nginx)},
		{"the same against Express Gateway", "≤ 1/35", inverse(b.cpu(rowChain), b.cpu(rowEGChain))},
		{"CPU with a verified RS256 token", "≤ 1.15 × the proxy alone", ratio(b.cpu(rowJWT), proxy)},
		{"CPU with 1,000 routes and 10,000 consumers", "≤ 1.10 × the proxy alone", ratio(b.cpu(rowLarge), proxy)},
		{"allocations of a proxied request, everything in the process", "≤ 40", allocated},
		{"memory before the first load", "≤ 30 MiB", idle},
		{"start to the first answer through 100 routes", "≤ 200 ms", start},
	}
}

func ratio(a, to float64) string {
	if a == 0 || to == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.2f", a/to)
}

func inverse(a, to float64) string {
	if a == 0 || to == 0 {
		return "not measured"
	}
	return fmt.Sprintf("1/%.0f", to/a)
}

func mebibytes(bytes float64) string { return fmt.Sprintf("%.0f MiB", bytes/(1<<20)) }

func model() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	if m := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return runtime.GOARCH
}

// allocationsPerRequest asks the Go benchmark, whose client and service allocate nothing.
func allocationsPerRequest(ctx context.Context) (int, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkProxiedRequest$", "-benchtime", "20000x", "-benchmem", "./gateway/server")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	m := regexp.MustCompile(`(\d+) allocs/op`).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("no such figure in %s", out)
	}
	return strconv.Atoi(string(m[1]))
}

// writeSection puts the report between the marks of the page.
func writeSection(file, report string) error {
	const begin, end = "<!-- make bench writes what follows -->\n", "<!-- end of make bench -->\n"
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, ok := bytes.Cut(page, []byte(begin))
	_, tail, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return fmt.Errorf("%s lacks the lines %q and %q", file, begin, end)
	}
	return os.WriteFile(file, []byte(string(head)+begin+report+end+string(tail)), 0o600)
}
