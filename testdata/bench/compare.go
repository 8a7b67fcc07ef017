package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// bench is one run.
type bench struct {
	options
	dir     string
	backend string // port of the service
	service *process
	rows    []*row // those that serve
}

func (b *bench) stop() {
	for _, r := range b.rows {
		r.process.stop()
	}
	if b.service != nil {
		b.service.stop()
	}
}

// compare runs every row in turn, again and again, and reports the medians.
func (b *bench) compare(ctx context.Context) error {
	if err := b.startRows(ctx); err != nil {
		return err
	}
	first, err := b.firstAnswer(ctx)
	if err != nil {
		fmt.Println("time to the first answer: not measured:", err)
	}
	for round := range b.rounds {
		for _, r := range b.rows {
			if err := b.measure(ctx, r); err != nil {
				return fmt.Errorf("measure %s: %w", r.name, err)
			}
			last := r.results[len(r.results)-1]
			fmt.Printf("round %d  %-22s %8.0f/s  %7.1f µs CPU per request  p50 %v  p99 %v  failed %d\n", round+1, r.name,
				float64(last.requests)/last.elapsed.Seconds(), last.perRequest(), last.p50, last.p99, last.failed)
		}
	}
	allocations, err := allocationsPerRequest(ctx)
	if err != nil {
		fmt.Println("allocations: not measured:", err)
	}
	report := b.report(first, allocations)
	fmt.Println("\n" + report)
	if b.docs == "" {
		return nil
	}
	return writeSection(b.docs, report)
}

// startRows starts the service and every row that this machine can run; each must really proxy.
func (b *bench) startRows(ctx context.Context) error {
	var err error
	if b.service, err = b.startBackend(ctx); err != nil {
		return fmt.Errorf("start service: %w", err)
	}
	for _, r := range rows() {
		if !b.wanted(r) {
			continue
		}
		if err := b.startRow(ctx, r); err != nil {
			fmt.Printf("row %s left out: %v\n", r.name, err)
		}
	}
	if len(b.rows) == 0 {
		return errors.New("no row can run")
	}
	return ctx.Err()
}

func (b *bench) startRow(ctx context.Context, r *row) error {
	var err error
	if r.port, err = freePort(); err != nil {
		return err
	}
	if r.admin, err = freePort(); err != nil {
		return err
	}
	if r.process, err = r.start(b, ctx, r); err != nil {
		return err
	}
	status, body, err := get(ctx, r)
	if err != nil || status != 200 || len(body) != bodySize {
		r.process.stop()
		return fmt.Errorf("it does not proxy: status %d, %d bytes, %w", status, len(body), err)
	}
	time.Sleep(time.Second) // until what the start left is done
	r.idle = r.process.resident()
	b.rows = append(b.rows, r)
	_, err = b.load(ctx, r, time.Second)
	return err
}

func (b *bench) measure(ctx context.Context, r *row) error {
	before := r.process.cpu()
	result, err := b.load(ctx, r, b.length)
	if err != nil {
		return err
	}
	result.cpu, result.resident = r.process.cpu()-before, r.process.resident()
	r.results = append(r.results, result)
	return ctx.Err()
}

// firstAnswer is the median time from the start of our program with 100 routes to an answer through it.
func (b *bench) firstAnswer(ctx context.Context) (time.Duration, error) {
	if _, err := os.Stat(b.gateway); err != nil {
		return 0, missing{b.gateway + " is not there: make build"}
	}
	var times []time.Duration
	for range 5 {
		r := &row{name: "first-answer", routes: 100, path: "/api/item77/x"}
		var err error
		if r.port, err = freePort(); err != nil {
			return 0, err
		}
		if r.admin, err = freePort(); err != nil {
			return 0, err
		}
		began := time.Now()
		p, err := b.startGateway(ctx, r)
		if err != nil {
			return 0, err
		}
		status, _, err := get(ctx, r)
		times = append(times, time.Since(began))
		p.stop()
		if err != nil || status != 200 {
			return 0, fmt.Errorf("status %d, %w", status, err)
		}
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// median of a value over the results of a row.
func (r *row) median(value func(result) float64) float64 {
	list := make([]float64, len(r.results))
	for i, one := range r.results {
		list[i] = value(one)
	}
	slices.Sort(list)
	if len(list) == 0 {
		return 0
	}
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}
