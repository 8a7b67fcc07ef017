package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of the algorithms
	_ "crypto/sha512"
	"fmt"
	"math/big"
)

// algorithm is one of RFC 7518, section 3.
type algorithm struct {
	name string
	kind kind
	hash crypto.Hash
	bits int // of the curve, with ES
}

type kind int

const (
	hs kind = iota
	rs
	ps
	es
	ed
)

// known are the algorithms of jsonwebtoken 8.5 but for none, which is no algorithm.
func known() []algorithm {
	return []algorithm{
		{"HS256", hs, crypto.SHA256, 0},
		{"HS384", hs, crypto.SHA384, 0},
		{"HS512", hs, crypto.SHA512, 0},
		{"RS256", rs, crypto.SHA256, 0},
		{"RS384", rs, crypto.SHA384, 0},
		{"RS512", rs, crypto.SHA512, 0},
		{"PS256", ps, crypto.SHA256, 0},
		{"PS384", ps, crypto.SHA384, 0},
		{"PS512", ps, crypto.SHA512, 0},
		{"ES256", es, crypto.SHA256, 256},
		{"ES384", es, crypto.SHA384, 384},
		{"ES512", es, crypto.SHA512, 521},
	}
}

// ofSets are the algorithms of public keys, with EdDSA (RFC 8037), which only keys of a set have.
func ofSets() []algorithm { return append(known(), algorithm{"EdDSA", ed, 0, 0}) }

// accepted returns the algorithms of all that names lists and that fit; all that do without names.
func accepted(all []algorithm, fits func(algorithm) bool, names []string) ([]algorithm, error) {
	if names != nil {
		list := make([]algorithm, 0, len(names))
		for _, name := range names {
			a, ok := find(all, name)
			if !ok {
				return nil, fmt.Errorf("%q is no algorithm that is known", name)
			}
			list = append(list, a)
		}
		all = list
	}
	var fit []algorithm
	for _, a := range all {
		if fits(a) {
			fit = append(fit, a)
		}
	}
	return fit, nil
}

func find(list []algorithm, name string) (algorithm, bool) {
	for _, a := range list {
		if a.name == name {
			return a, true
		}
	}
	return algorithm{}, false
}

func (k key) fits(a algorithm) bool {
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return a.kind == rs || a.kind == ps
	case *ecdsa.PublicKey:
		return a.kind == es && a.bits == public.Curve.Params().BitSize
	case ed25519.PublicKey:
		return a.kind == ed
	default:
		return a.kind == hs
	}
}

// verify compares in constant time where a secret is involved.
func (k key) verify(a algorithm, signed, signature []byte) error {
	if a.kind == hs {
		mac := hmac.New(a.hash.New, k.secret)
		mac.Write(signed)
		return wrongUnless(hmac.Equal(mac.Sum(nil), signature))
	}
	if public, ok := k.public.(ed25519.PublicKey); ok {
		return wrongUnless(ed25519.Verify(public, signed, signature))
	}
	h := a.hash.New()
	h.Write(signed)
	digest := h.Sum(nil)
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		if a.kind == ps {
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return wrongUnless(rsa.VerifyPSS(public, a.hash, digest, signature, options) == nil)
		}
		return wrongUnless(rsa.VerifyPKCS1v15(public, a.hash, digest, signature) == nil)
	case *ecdsa.PublicKey:
		size := (a.bits + 7) / 8
		if len(signature) != 2*size {
			return ErrSignature
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return wrongUnless(ecdsa.Verify(public, digest, r, s))
	default:
		return ErrSignature
	}
}

func wrongUnless(right bool) error {
	if right {
		return nil
	}
	return ErrSignature
}
