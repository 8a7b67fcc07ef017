package triton_test

import (
	"testing"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

// FuzzRule: no text of a rule ends the program, and one that is taken means the same when it is read again.
func FuzzRule(f *testing.F) {
	for _, text := range []string{
		`FROM any TO tag "a" = "b" ALLOW tcp (PORT 80 AND PORT 443)`, "FROM (ip 10.0.0.1 OR subnet fd00::/8) TO all vms BLOCK udp PORTS 1-2, 3 - 4",
		"FROM tag a TO vm 0abe1901-2c6c-42cb-b5f9-e92d1c8d3c8e ALLOW icmp TYPE 8 CODE 0 PRIORITY 1", `FROM tag "\u00e4\"" TO any ALLOW ah`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := triton.ParseRule(text)
		if err != nil {
			return
		}
		again, err := triton.ParseRule(text)
		if err != nil || !spec.Equal(again) {
			t.Errorf("%q: %+v, then %+v %v", text, spec, again, err)
		}
		spec.Opens(&triton.Machine{IPs: []string{"10.0.0.1", "x"}}, &triton.Machine{Tags: map[string]any{"a": 1}}, 80)
	})
}

// FuzzServices: whatever the tag holds, its entries are what it was made of.
func FuzzServices(f *testing.F) {
	for _, text := range []string{"k8s,worker", "web:80:priority=1", "_web._tcp", ",", "a:b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := triton.Services(text)
		if err == nil && len(entries) == 0 {
			t.Errorf("%q has no entry", text)
		}
		for _, e := range entries {
			if triton.ServiceLabel(e) == "" {
				t.Errorf("%q: the entry %q has no label", text, e)
			}
		}
	})
}
