package config_test

import (
	"testing"

	"egk8s.dev/egk8s/gateway/config"
)

// BenchmarkLoad loads a file of ordinary size: the budget is 5 ms.
func BenchmarkLoad(b *testing.B) {
	opts := config.Options{Files: realFile{path: "testdata/typical.gateway.config.yml", as: "gateway.config.yml"}, Catalogue: newTestCatalogue(b)}
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := config.Load(".", opts); problems.HasErrors() {
			b.Fatal(problems)
		}
	}
}
