package condition

import (
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

func newAuthenticated(*config.Condition) (Condition, diag.Problems) {
	return Func(func(x *message.Exchange) (bool, error) { return x.Request.Consumer != nil, nil }), nil
}

func newAnonymous(*config.Condition) (Condition, diag.Problems) {
	return Func(func(x *message.Exchange) (bool, error) { return x.Request.Consumer == nil, nil }), nil
}

// newTLSClientAuthenticated is true on connections whose client showed a verified certificate.
func newTLSClientAuthenticated(*config.Condition) (Condition, diag.Problems) {
	return Func(func(x *message.Exchange) (bool, error) {
		return x.Request.TLS != nil && x.Request.TLS.ClientVerified, nil
	}), nil
}
