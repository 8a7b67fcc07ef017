package server

import (
	"cmp"
	"errors"
	"net"
	"strings"

	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
)

// shortestToken is how many characters a token of the Admin API has at least: nobody guesses it.
const shortestToken = 16

// adminTokens reads EGK8S_ADMIN_TOKEN: one token, or several with blanks between, so that one can be replaced.
func adminTokens(text string) ([]string, error) {
	list := strings.Fields(text)
	for _, token := range list {
		if len(token) < shortestToken {
			return nil, errors.New("read EGK8S_ADMIN_TOKEN: a token has 16 characters or more, such as openssl rand -hex 16 makes")
		}
	}
	return list, nil
}

// adminAddress is where the Admin API listens; empty: it does not.
func adminAddress(cfg *config.Config, override string) (host string, given bool) {
	if cfg.Admin == nil {
		return "", false
	}
	if override != "" {
		host, _, err := net.SplitHostPort(override)
		if err != nil {
			host = override
		}
		return host, true
	}
	return cmp.Or(cfg.Admin.Host, "localhost"), true
}

// openAdmin is the problem of an Admin API that others can reach and that asks nobody who he is: an error in a pod,
// where egk8s listens on loopback unless somebody said otherwise; standalone a warning, since such files are in use.
func openAdmin(cfg *config.Config, env *environment) diag.Problems {
	host, given := adminAddress(cfg, env.admin)
	if !given || len(env.adminTokens) > 0 || config.IsLoopback(host) {
		return nil
	}
	severity := diag.Warning
	if env.pod() {
		severity = diag.Error
	}
	return diag.Problems{config.OpenAdmin(cfg, severity)}
}
