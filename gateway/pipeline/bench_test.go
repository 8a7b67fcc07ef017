package pipeline_test

import (
	"context"
	"fmt"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/pipeline"
)

// BenchmarkRoute measures finding the last of many endpoints; the cost must not grow with their number.
func BenchmarkRoute(b *testing.B) {
	kinds := map[string]func(i int) config.APIEndpoint{
		"exact": func(i int) config.APIEndpoint {
			return config.APIEndpoint{Paths: []string{fmt.Sprintf("/api/v1/item%d", i)}}
		},
		"prefix": func(i int) config.APIEndpoint {
			return config.APIEndpoint{Paths: []string{fmt.Sprintf("/api/v1/item%d/*", i)}}
		},
		"param": func(i int) config.APIEndpoint {
			return config.APIEndpoint{Paths: []string{fmt.Sprintf("/api/v1/item%d/:id", i)}}
		},
		"host": func(i int) config.APIEndpoint {
			return config.APIEndpoint{Host: fmt.Sprintf("item%d.test", i), Paths: []string{"/api/*"}}
		},
	}
	for _, kind := range []string{"exact", "prefix", "param", "host"} {
		for _, n := range []int{1, 100, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
				cfg := &config.Config{Pipelines: []config.Pipeline{{Name: "p", Steps: []config.Step{terminate("found")}}}}
				for i := range n {
					e := kinds[kind](i)
					e.Name = fmt.Sprint("e", i)
					cfg.APIEndpoints = append(cfg.APIEndpoints, e)
					cfg.Pipelines[0].APIEndpoints = append(cfg.Pipelines[0].APIEndpoints, e.Name)
				}
				path := fmt.Sprintf("/api/v1/item%d", n-1)
				if kind != "exact" {
					path += "/12"
				}
				benchmarkServe(b, cfg, fmt.Sprintf("item%d.test", n-1), path)
			})
		}
	}
}

func benchmarkServe(b *testing.B, cfg *config.Config, host, path string) {
	b.Helper()
	rt, problems := pipeline.Compile(cfg, environment())
	if err := problems.Err(); err != nil {
		b.Fatal(err)
	}
	header := message.NewHeader(4)
	b.ReportAllocs()
	for b.Loop() {
		sink := &recorder{}
		x := &message.Exchange{Response: message.NewResponse(message.NewHeader(4), sink)}
		x.Request = message.Request{Method: "GET", URL: path, OriginalURL: path, Host: host, Header: header}
		if err := rt.Serve(context.Background(), x); err != nil || sink.status != 200 {
			b.Fatal(sink.status, err)
		}
	}
}
