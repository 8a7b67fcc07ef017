package server

import (
	"net/netip"
	"testing"
)

func TestTrustedClient(t *testing.T) {
	t.Parallel()
	list := parseTrusted([]string{"10.0.0.0/8", "192.168.1.7", "fd00::/8"})
	tests := []struct {
		name, peer string
		header     []string
		want       string
	}{
		{"a stranger's header does not count", "1.2.3.4:5", []string{"9.9.9.9"}, "1.2.3.4:5"},
		{"a trusted peer's does", "10.0.0.1:5", []string{"9.9.9.9"}, "9.9.9.9:0"},
		{"the IPv4 peer of a dual-stack socket", "[::ffff:10.0.0.1]:5", []string{"9.9.9.9"}, "9.9.9.9:0"},
		{"what a client made up stands in front", "10.0.0.1:5", []string{"8.8.8.8, 9.9.9.9", "10.2.2.2"}, "9.9.9.9:0"},
		{"only proxies", "10.0.0.1:5", []string{"192.168.1.7"}, "192.168.1.7:0"},
		{"no header", "10.0.0.1:5", nil, "10.0.0.1:5"},
		{"an unreadable hop ends the chain", "10.0.0.1:5", []string{"9.9.9.9, unknown, 10.3.3.3"}, "10.3.3.3:0"},
		{"IPv6", "[fd00::1]:5", []string{"2001:db8::1"}, "[2001:db8::1]:0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := list.client(netip.MustParseAddrPort(tt.peer), tt.header); got.String() != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
