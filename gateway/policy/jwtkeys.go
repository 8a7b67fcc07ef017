package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"egk8s.dev/egk8s/gateway/jwt"
	"egk8s.dev/egk8s/gateway/jwt/jwks"
	"egk8s.dev/egk8s/gateway/message"
)

// keyRefresh is how old a key set gets, where the step does not say.
const keyRefresh = 5 * time.Minute

// errNoKeys says that nobody can tell whether a token is good: no key set came yet.
var errNoKeys = errors.New("the key set is not there yet")

// keySet verifies tokens by the keys of an identity provider.
type keySet struct {
	source  *jwks.Source
	options jwt.Options
	newest  atomic.Pointer[setVerifier]
}

// setVerifier is a set with its verifier.
type setVerifier struct {
	set      *jwt.Set
	verifier *jwt.Verifier
}

func hasKeySet(p params) bool { return p.text("jwksUri") != "" || p.text("oidcIssuer") != "" }

// newKeySet reads jwksUri, oidcIssuer and jwksRefresh. EG: it has none of them.
func newKeySet(p params, env *Environment, subjectOnly bool) (*keySet, error) {
	o := jwks.Options{URI: p.text("jwksUri"), Provider: p.text("oidcIssuer"), Refresh: keyRefresh}
	issuer := cmp.Or(p.text("issuer"), o.Provider)
	if o.Provider != "" {
		o.Issuer = issuer
	}
	name, url := "jwksUri", o.URI
	if url == "" {
		name, url = "oidcIssuer", o.Provider
	}
	if err := jwks.CheckURL(url); err != nil {
		return nil, fmt.Errorf("%s is %w", name, err)
	}
	algorithms := p.list("algorithms")
	if secret := slices.IndexFunc(algorithms, func(a string) bool { return strings.HasPrefix(a, "HS") }); secret >= 0 {
		return nil, fmt.Errorf("algorithms has %s, which needs a secret: the keys of %s are public", algorithms[secret], name)
	}
	if seconds, ok := p.number("jwksRefresh"); ok && seconds > 0 {
		o.Refresh = time.Duration(seconds) * time.Second
	}
	return &keySet{
		source:  env.keySet(o),
		options: jwt.Options{Audience: p.text("audience"), Issuer: issuer, Algorithms: algorithms, DropClaims: subjectOnly},
	}, nil
}

// verify judges a token by the newest set. A token whose key it lacks has the set fetched, now and then, so
// that a provider may change its keys at any time.
func (k *keySet) verify(ctx context.Context, tokens *jwt.Cache, token string) (*jwt.Token, error) {
	set := k.source.Set()
	if set == nil {
		return nil, errNoKeys
	}
	verified, err := k.by(set, tokens, token)
	if !errors.Is(err, jwt.ErrUnknownKey) {
		return verified, err
	}
	newer := k.source.Newer(ctx, set)
	if newer == set {
		return nil, err
	}
	return k.by(newer, tokens, token)
}

func (k *keySet) by(set *jwt.Set, tokens *jwt.Cache, token string) (*jwt.Token, error) {
	v := k.newest.Load()
	if v == nil || v.set != set {
		o := k.options
		o.Set = set
		verifier, err := jwt.New(o)
		if err != nil {
			return nil, err
		}
		v = &setVerifier{set, verifier}
		k.newest.Store(v)
	}
	return tokens.Verify(v.verifier, token, time.Now())
}

// noKeys answers while nobody can tell whether a token is good. That is not the client's fault.
func (a *authentication) noKeys(ctx context.Context, x *message.Exchange) message.Verdict {
	a.debug(ctx, x, errNoKeys) // the source logs why
	x.Response.Header.Set("Retry-After", "5")
	x.Response.SendText(503, "Service Unavailable")
	return message.Answered
}
