package condition

import (
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

func newAuthenticated(*config.Condition) (Condition, diag.Problems) {
	return Func(func(x *message.Exchange) (bool, error) { return known(x), nil }), nil
}

func newAnonymous(*config.Condition) (Condition, diag.Problems) {
	return Func(func(x *message.Exchange) (bool, error) { return !known(x), nil }), nil
}

// known tells whether a policy found out who calls. EG: whether req.user is set, by a consumer or by claims.
func known(x *message.Exchange) bool { return x.Request.Consumer != nil || x.Request.Claims != nil }

// newTLSClientAuthenticated is true on connections whose client showed a verified certificate.
func newTLSClientAuthenticated(*config.Condition) (Condition, diag.Problems) {
	return Func(func(x *message.Exchange) (bool, error) {
		return x.Request.TLS != nil && x.Request.TLS.ClientVerified, nil
	}), nil
}
