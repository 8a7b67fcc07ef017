package server

import (
	"crypto/tls"
	"fmt"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
)

// protocolVersions are node's names of TLS versions.
func protocolVersions() map[string]uint16 {
	return map[string]uint16{
		"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13,
	}
}

// cipherSuites are OpenSSL's names of the suites up to TLS 1.2 that this gateway has. Those of TLS 1.3
// cannot be chosen.
func cipherSuites() map[string]uint16 {
	return map[string]uint16{
		"ECDHE-ECDSA-AES128-GCM-SHA256": tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		"ECDHE-RSA-AES128-GCM-SHA256":   tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		"ECDHE-ECDSA-AES256-GCM-SHA384": tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		"ECDHE-RSA-AES256-GCM-SHA384":   tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		"ECDHE-ECDSA-CHACHA20-POLY1305": tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		"ECDHE-RSA-CHACHA20-POLY1305":   tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		"ECDHE-ECDSA-AES128-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
		"ECDHE-RSA-AES128-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		"ECDHE-ECDSA-AES256-SHA":        tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
		"ECDHE-RSA-AES256-SHA":          tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	}
}

// tlsOptions takes what https.options says of versions and suites.
// EG: node's TLS options. Without minVersion it is TLS 1.2, as in node.
func tlsOptions(out *tls.Config, l *config.TLSListener) diag.Problems {
	out.MinVersion = tls.VersionTLS12
	var problems diag.Problems
	complain := func(key, value, why string) {
		problems = append(problems, diag.Problem{
			Code: "tls-option", Severity: diag.Error, Position: l.Pos,
			Message: fmt.Sprintf("https.options.%s: %q %s", key, value, why),
		})
	}
	version := func(key string, to *uint16) {
		name, ok := l.Options[key].(string)
		if !ok {
			return
		}
		v, known := protocolVersions()[name]
		if !known {
			complain(key, name, "is none of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3")
			return
		}
		*to = v
	}
	version("minVersion", &out.MinVersion)
	version("maxVersion", &out.MaxVersion)
	if out.MaxVersion != 0 && out.MaxVersion < out.MinVersion {
		complain("maxVersion", fmt.Sprint(l.Options["maxVersion"]), "is below the lowest version")
	}
	list, ok := l.Options["ciphers"].(string)
	if !ok {
		return problems
	}
	suites := cipherSuites()
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return strings.ContainsRune(": ,", r) }) {
		if id, ok := suites[name]; ok {
			out.CipherSuites = append(out.CipherSuites, id)
		}
	}
	if len(out.CipherSuites) == 0 && out.MinVersion < tls.VersionTLS13 && !strings.Contains(list, "TLS_") {
		complain("ciphers", list, "names no suite that this gateway has, by OpenSSL's names, such as ECDHE-RSA-AES128-GCM-SHA256")
	}
	return problems
}
