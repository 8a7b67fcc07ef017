package triton_test

import (
	"encoding/json"
	"os"
	"testing"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// TestOracle compares the rules here with what the packages that CloudAPI uses say (testdata/cloudapi/oracle).
func TestOracle(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../testdata/cloudapi/oracle/verdicts.json")
	if err != nil {
		t.Fatal(err)
	}
	var verdicts struct{ Rules, Services map[string]bool }
	if err := json.Unmarshal(data, &verdicts); err != nil {
		t.Fatal(err)
	}
	if len(verdicts.Rules) < 100 || len(verdicts.Services) < 50 {
		t.Fatalf("%d rules, %d services: the table is not whole", len(verdicts.Rules), len(verdicts.Services))
	}
	for text, accepted := range verdicts.Rules {
		if err := triton.CheckRule(text); (err == nil) != accepted {
			t.Errorf("fwrule accepts %q: %v; here: %v", text, accepted, err)
		}
	}
	for text, accepted := range verdicts.Services {
		if _, err := triton.Services(text); (err == nil) != accepted {
			t.Errorf("triton-tags accepts %q: %v; here: %v", text, accepted, err)
		}
	}
}
