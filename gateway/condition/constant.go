package condition

import (
	"egk8s.dev/egk8s/gateway/config"
	"egk8s.dev/egk8s/gateway/diag"
	"egk8s.dev/egk8s/gateway/message"
)

func newAlways(*config.Condition) (Condition, diag.Problems) {
	return Func(func(*message.Exchange) (bool, error) { return true, nil }), nil
}

func newNever(*config.Condition) (Condition, diag.Problems) {
	return Func(func(*message.Exchange) (bool, error) { return false, nil }), nil
}
