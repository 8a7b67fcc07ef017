package check

import (
	"context"
	"fmt"
)

// shared finds a store that several replicas cannot share.
func shared(_ context.Context, in Input) []Finding {
	most := in.Project.Spec.Replicas.Most()
	if !in.TokensInMemory || most < 2 {
		return nil
	}
	return []Finding{{
		Code: "store-not-shared", Severity: Error,
		Message: fmt.Sprintf("%s: a pipeline uses oauth2 with opaque access tokens, which a replica keeps in its memory, and there may be %d replicas: "+
			"the others would answer 401", in.Project.Position("spec.replicas"), most),
		Hint: "store: {redis: {mode: internal}} shares them; or replicas: 1; or accessTokens: {tokenType: jwt} in system.config.yml",
	}}
}
