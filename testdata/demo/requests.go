package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

// story is what requests should show.
type story struct {
	requests []request
	// services is how many different backend Services must have answered.
	services int
}

type request struct {
	path, key string
	status    int
}

func firstStory(key string) story {
	requests := []request{{path: "/customers", status: 401}}
	for range 4 {
		requests = append(requests, request{path: "/customers", key: key, status: 200})
	}
	requests = append(requests,
		request{path: "/orders/1", key: key, status: 200},
		request{path: "/v1/orders", status: 200},
		request{path: "/elsewhere", status: 404})
	return story{requests: requests, services: 3}
}

func secondStory(key string) story {
	return story{requests: []request{
		{path: "/v1/orders", status: 410},
		{path: "/orders/1", key: key, status: 200},
	}, services: 1}
}

// request plays a story through `egk8s port-forward gateway` and fails when an answer is not the expected one.
func (s *shop) request(ctx context.Context, story story) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address, wait, err := s.forward(ctx)
	if err != nil {
		return err
	}
	defer wait()
	defer cancel()
	services := map[string]bool{}
	for _, r := range story.requests {
		service, err := r.play(ctx, address)
		if err != nil {
			return err
		}
		if service != "" {
			services[service] = true
		}
	}
	if len(services) != story.services {
		return fmt.Errorf("%d backend Services answered, %d were to", len(services), story.services)
	}
	return nil
}

func (s *shop) forward(ctx context.Context) (address string, wait func(), err error) {
	args := append([]string{"port-forward", "gateway", "-f", s.file()}, s.target()...)
	cmd := command(ctx, egk8s(), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	wait = func() { _ = cmd.Wait() }
	local := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	var seen []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		seen = append(seen, lines.Text())
		if found := local.FindString(lines.Text()); found != "" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return found, wait, nil
		}
	}
	wait()
	return "", nil, errors.New("port-forward ended: " + strings.Join(seen, "; "))
}

// play sends one request, prints it and returns which backend Service answered.
func (r request) play(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+r.path, nil)
	if err != nil {
		return "", err
	}
	with := "no key"
	if r.key != "" {
		req.Header.Set("Authorization", "apiKey "+r.key)
		with = "key of alice"
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	var by struct{ Service, Pod string }
	from := ""
	if json.Unmarshal(body, &by) == nil && by.Service != "" {
		from = fmt.Sprintf("from %s, pod %s", by.Service, by.Pod)
	}
	fmt.Printf("  GET %-12s %-13s → %d %s\n", r.path, with, res.StatusCode, from)
	if res.StatusCode != r.status {
		return "", fmt.Errorf("GET %s answered %d, want %d: %s", r.path, res.StatusCode, r.status, body)
	}
	return by.Service, nil
}
