package policy_test

import (
	"net/netip"
	"testing"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/policy"
)

func TestIPFilter(t *testing.T) {
	t.Parallel()
	inside := []any{"10.0.0.0/8", "2001:db8::/32", "192.0.2.7"}
	for _, tt := range []struct {
		allow, deny any
		client      string
		pass        bool
	}{
		{inside, nil, "10.1.2.3", true},
		{inside, nil, "::ffff:10.1.2.3", true},
		{inside, nil, "11.1.2.3", false},
		{inside, nil, "192.0.2.7", true},
		{inside, nil, "192.0.2.8", false},
		{inside, nil, "2001:db8::1", true},
		{inside, nil, "2001:db9::1", false},
		{inside, []any{"10.9.0.0/16"}, "10.9.1.1", false},
		{inside, []any{"10.9.0.0/16"}, "10.8.1.1", true},
		{nil, inside, "10.1.2.3", false},
		{nil, inside, "::ffff:10.1.2.3", false},
		{nil, inside, "11.1.2.3", true},
		{nil, []any{"fe80::/10"}, "fe80::1%eth0", false},
		{[]any{}, nil, "10.1.2.3", false},
		{nil, []any{}, "", false},
	} {
		action := map[string]any{}
		if tt.allow != nil {
			action["allow"] = tt.allow
		}
		if tt.deny != nil {
			action["deny"] = tt.deny
		}
		p := build(t, "ip-filter", action, &policy.Environment{})
		x, sink := exchange("GET", "/", map[string]string{"X-Forwarded-For": "10.1.2.3"})
		if tt.client != "" {
			x.Request.Remote = netip.AddrPortFrom(netip.MustParseAddr(tt.client), 1)
		}
		got := apply(t, p, x, sink)
		if (got.Verdict == message.Continue) != tt.pass || !tt.pass && (got.Status != 403 || got.Body != "Forbidden") {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
}

func TestIPFilterProblems(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"10.0.0.0/33", "10.0.0", "localhost", "::ffff:10.0.0.0/104", "fe80::1%eth0", ""} {
		if p, problems := policy.New(stepOf("ip-filter", map[string]any{"allow": []any{bad}}), &policy.Environment{}); p != nil || !problems.HasErrors() {
			t.Errorf("%q: %v", bad, problems)
		}
	}
}
