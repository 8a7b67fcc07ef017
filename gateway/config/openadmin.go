package config

import (
	"net"

	"egk8s.dev/egk8s/gateway/diag"
)

// IsLoopback tells whether a bind address is reached from its own machine only.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// OpenAdmin says that the Admin API of cfg can be reached by others and asks nobody who he is.
func OpenAdmin(cfg *Config, severity diag.Severity) diag.Problem {
	return diag.Problem{
		Code: "admin-open", Severity: severity, Position: cfg.Admin.Pos,
		Message: "the Admin API listens beyond this machine and asks for no token: whoever reaches it can make keys for himself",
		Hint:    "let it listen on localhost, or set EGK8S_ADMIN_TOKEN (in a pod: secretEnv)",
	}
}
