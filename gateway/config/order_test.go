package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/gateway/config"
)

func TestStepsKnowTheOrderOfTheirMaps(t *testing.T) {
	t.Parallel()
	files := &archive{files: map[string]string{"gateway.config.yml": `
http: {port: 8080}
apiEndpoints: {}
policies: [request-transformer]
pipelines:
  p:
    apiEndpoints: []
    policies:
    - request-transformer:
      - action:
          headers: {add: {z: '1', b: '2', 10: '3', 9: '4'}}
          body: {add: {one: '1'}, remove: [a, b]}
`}}
	cfg, problems := config.Load(".", files.options(t))
	if cfg == nil {
		t.Fatal(problems)
	}
	want := map[string][]string{"headers.add": {"9", "10", "z", "b"}, "body": {"add", "remove"}}
	if diff := cmp.Diff(want, cfg.Pipelines[0].Steps[0].Order); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
