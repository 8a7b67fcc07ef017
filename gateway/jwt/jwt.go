// Package jwt verifies JSON Web Tokens (RFC 7519) that are signed compactly (RFC 7515).
//
// It accepts what jsonwebtoken 8.5 behind passport-jwt accepts, which is what Express Gateway runs, and
// refuses a little more: keys whose kind does not fit the algorithm, critical header fields, header fields
// that occur twice, payloads that are no object. Nothing in a token says where the key is: jku, jwk and x5u
// are not read, and kid only chooses among the keys of a Set.
package jwt

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strconv"
	"time"
)

// MaxLength is the longest token that is looked at. EG: node refuses a longer head.
const MaxLength = 16 << 10

// The reasons why a token is refused; every error of Verify matches exactly one of them.
var (
	ErrMalformed   = errors.New("malformed token")
	ErrAlgorithm   = errors.New("algorithm is not accepted")
	ErrSignature   = errors.New("wrong signature")
	ErrUnknownKey  = errors.New("no key of the set fits")
	ErrExpired     = errors.New("token is expired")
	ErrNotYetValid = errors.New("token is not valid yet")
	ErrAudience    = errors.New("wrong audience")
	ErrIssuer      = errors.New("wrong issuer")
	ErrClaims      = errors.New("claims cannot be read")
)

// Options say which tokens are good.
type Options struct {
	// Key is a shared secret, or a PEM public key or certificate.
	Key []byte
	// Set are the keys instead of Key; nil: Key.
	Set *Set
	// Algorithms are those that are accepted, of HS, RS, PS and ES with 256, 384 and 512, and EdDSA with a
	// Set; those that do not fit the key never are, so that HS never is with a Set. nil: all that fit it.
	Algorithms []string
	// Audience must be the aud claim or one of it; empty: any.
	Audience string
	// Issuer must be the iss claim; empty: any.
	Issuer string
	// DropClaims leaves Token.Claims nil, for those who ask for the subject only.
	DropClaims bool
}

// Verifier verifies tokens of one key or set. It is safe for concurrent use.
type Verifier struct {
	key        key
	set        *Set // nil: key
	algorithms []algorithm
	audience   string
	issuer     string
	dropClaims bool
	identity   string
}

// Token is a verified token. It may be shared: do not change its claims.
type Token struct {
	// Claims are the payload, numbers as float64.
	Claims map[string]any
	// Subject is the sub claim; empty when there is none, or one that is no text.
	Subject string
	// Scopes are those of the claim scope, or else of scopes.
	Scopes []string
	// Expires is when the token ends; zero: never.
	Expires time.Time
}

// New returns a verifier. An error says what is wrong with the key or the algorithms.
//
// A verifier without any algorithm that fits its key is no error, since Express Gateway starts with one
// too: it refuses every token. Algorithms tells.
func New(o Options) (*Verifier, error) {
	v := &Verifier{set: o.Set, audience: o.Audience, issuer: o.Issuer, dropClaims: o.DropClaims}
	all, fits := ofSets(), func(a algorithm) bool { return a.kind != hs }
	var err error
	if o.Set == nil {
		all = known()
		if v.key, err = parseKey(o.Key, o.Algorithms); err != nil {
			return nil, err
		}
		fits = v.key.fits
	}
	if v.algorithms, err = accepted(all, fits, o.Algorithms); err != nil {
		return nil, err
	}
	v.identity = identify(o, v.algorithms)
	return v, nil
}

// Algorithms returns the names of the algorithms that are accepted.
func (v *Verifier) Algorithms() []string {
	names := make([]string, len(v.algorithms))
	for i, a := range v.algorithms {
		names[i] = a.name
	}
	return names
}

// Identity differs between verifiers that could judge a token differently. It tells nothing of the key
// to whoever does not know that already.
func (v *Verifier) Identity() string { return v.identity }

func identify(o Options, algorithms []algorithm) string {
	h := sha256.New()
	part := func(text string) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(text)))
		h.Write(size[:])
		h.Write([]byte(text))
	}
	part(string(o.Key))
	if o.Set != nil {
		part(string(o.Set.digest[:]))
	}
	part(o.Audience)
	part(o.Issuer)
	part(strconv.FormatBool(o.DropClaims))
	for _, a := range algorithms {
		part(a.name)
	}
	return string(h.Sum(nil))
}

// Verify returns what a token says when it is good at now.
func (v *Verifier) Verify(token string, now time.Time) (*Token, error) {
	p, err := split(token)
	if err != nil {
		return nil, err
	}
	name, id, err := readHeader(p.header)
	if err != nil {
		return nil, err
	}
	a, ok := find(v.algorithms, name)
	if !ok {
		return nil, ErrAlgorithm
	}
	if err := v.verify(a, id, &p); err != nil {
		return nil, err
	}
	t, err := readClaims(p.payload)
	if err != nil {
		return nil, err
	}
	if err := v.check(t, now); err != nil {
		return nil, err
	}
	if v.dropClaims {
		t.Claims = nil
	}
	return t, nil
}

func (v *Verifier) verify(a algorithm, id string, p *parts) error {
	if v.set != nil {
		return v.set.verify(a, id, p.signed, p.signature)
	}
	return v.key.verify(a, p.signed, p.signature)
}
