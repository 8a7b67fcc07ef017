package server

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"egk8s.dev/egk8s/gateway/config"
)

func TestTLSOptions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options  map[string]any
		min, max uint16
		suites   []uint16
		problem  string
	}{
		"nothing":        {nil, tls.VersionTLS12, 0, nil, ""},
		"versions":       {map[string]any{"minVersion": "TLSv1.3", "maxVersion": "TLSv1.3"}, tls.VersionTLS13, tls.VersionTLS13, nil, ""},
		"old":            {map[string]any{"minVersion": "TLSv1.1"}, tls.VersionTLS11, 0, nil, ""},
		"unknown":        {map[string]any{"minVersion": "1.2"}, tls.VersionTLS12, 0, nil, `minVersion: "1.2"`},
		"crossed":        {map[string]any{"minVersion": "TLSv1.3", "maxVersion": "TLSv1.2"}, tls.VersionTLS13, tls.VersionTLS12, nil, "below the lowest"},
		"suites":         {map[string]any{"ciphers": "ECDHE-RSA-AES128-GCM-SHA256:!aNULL:ECDHE-RSA-AES256-GCM-SHA384"}, tls.VersionTLS12, 0, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}, ""},
		"suites unknown": {map[string]any{"ciphers": "HIGH"}, tls.VersionTLS12, 0, nil, "names no suite"},
		"suites of 1.3":  {map[string]any{"ciphers": "TLS_AES_128_GCM_SHA256"}, tls.VersionTLS12, 0, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out tls.Config
			problems := tlsOptions(&out, &config.TLSListener{Options: tt.options})
			if out.MinVersion != tt.min || out.MaxVersion != tt.max || !slices.Equal(out.CipherSuites, tt.suites) {
				t.Errorf("versions %x to %x, suites %v", out.MinVersion, out.MaxVersion, out.CipherSuites)
			}
			if len(problems) > 0 != (tt.problem != "") || tt.problem != "" && !strings.Contains(problems[0].Message, tt.problem) {
				t.Errorf("problems %v, want %q", problems, tt.problem)
			}
		})
	}
}
