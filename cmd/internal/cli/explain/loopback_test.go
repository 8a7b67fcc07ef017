package explain

import (
	"strings"
	"testing"
)

func TestLoopbackHint(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]string{
		"https://127.0.0.1:6443": "https://ADDRESS:6443", "https://localhost:16443": ":16443", "https://[::1]": ":6443",
		"https://10.0.0.5:6443": "", "https://k8s-api.svc.example.test:6443": "", "%": "",
	} {
		got := strings.Join(loopbackHint(server), "")
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", server, got)
		}
	}
}
