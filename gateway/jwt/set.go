package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// Bounds of a key set. What is longer than a provider's set can be is none.
const (
	// MaxSet is the longest text of a set.
	MaxSet = 256 << 10
	// maxKeys is how many keys a set may list.
	maxKeys = 100
	// maxTries is with how many keys a token is tried that names none of them, or one that several have.
	maxTries = 8
	// maxRSA bounds what a signature may cost.
	maxRSA = 8192
)

// Set are the public keys of a JSON Web Key Set (RFC 7517). It never holds a secret: whoever can read the
// set could sign with one.
type Set struct {
	keys   []setKey
	digest [sha256.Size]byte
}

// setKey is one key with what the set says of it.
type setKey struct {
	key
	id        string // kid; empty: not said
	algorithm string // alg; empty: each that fits
}

// jwk are the members of a key that are read.
type jwk struct {
	Kty       string   `json:"kty"`
	Use       string   `json:"use"`
	KeyOps    []string `json:"key_ops"`
	Algorithm string   `json:"alg"`
	ID        string   `json:"kid"`
	Curve     string   `json:"crv"`
	N         string   `json:"n"`
	E         string   `json:"e"`
	X         string   `json:"x"`
	Y         string   `json:"y"`
}

// ParseSet reads a key set. Keys that cannot verify, that are not for signatures or that cannot be read are
// left out, as RFC 7517, section 5 asks; without any other the set is an error.
func ParseSet(text []byte) (*Set, error) {
	if len(text) > MaxSet {
		return nil, fmt.Errorf("the key set is longer than %d bytes", MaxSet)
	}
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	if len(doc.Keys) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys, more than %d", len(doc.Keys), maxKeys)
	}
	s := &Set{digest: sha256.Sum256(text)}
	var reason error
	for _, raw := range doc.Keys {
		k, err := readJWK(raw)
		if err != nil {
			reason = err
			continue
		}
		s.keys = append(s.keys, k)
	}
	if len(s.keys) > 0 {
		return s, nil
	}
	if reason != nil {
		return nil, fmt.Errorf("the key set has no key that verifies signatures: %w", reason)
	}
	return nil, errors.New("the key set is empty")
}

// Equal tells whether two sets come from the same text.
func (s *Set) Equal(other *Set) bool { return other != nil && s.digest == other.digest }

// Len returns how many keys can verify.
func (s *Set) Len() int { return len(s.keys) }

func readJWK(raw json.RawMessage) (setKey, error) {
	var j jwk
	if err := json.Unmarshal(raw, &j); err != nil {
		return setKey{}, err
	}
	if j.Use != "" && j.Use != "sig" || j.KeyOps != nil && !slices.Contains(j.KeyOps, "verify") {
		return setKey{}, errors.New("a key is not for signatures")
	}
	public, err := j.public()
	if err != nil {
		return setKey{}, err
	}
	return setKey{key: key{public: public}, id: j.ID, algorithm: j.Algorithm}, nil
}

// public returns the key (RFC 7518, section 6; RFC 8037).
func (j *jwk) public() (crypto.PublicKey, error) {
	switch j.Kty {
	case "RSA":
		return j.rsa()
	case "EC":
		return j.ec()
	case "OKP":
		x, err := base64.RawURLEncoding.DecodeString(j.X)
		if err != nil || j.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("a key of curve %.20q is not readable", j.Curve)
		}
		return ed25519.PublicKey(x), nil
	default: // oct among them: a secret that everybody can read
		return nil, fmt.Errorf("a key of type %.20q verifies nothing", j.Kty)
	}
}

func (j *jwk) rsa() (*rsa.PublicKey, error) {
	n, err := base64.RawURLEncoding.DecodeString(j.N)
	if err != nil {
		return nil, errors.New("an RSA key has no readable n")
	}
	e, err := base64.RawURLEncoding.DecodeString(j.E)
	if err != nil {
		return nil, errors.New("an RSA key has no readable e")
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	switch {
	case modulus.BitLen() < minRSA || modulus.BitLen() > maxRSA || modulus.Bit(0) == 0:
		return nil, fmt.Errorf("an RSA key of %d bits is refused", modulus.BitLen())
	case exponent.BitLen() > 31 || exponent.Int64() < 3 || exponent.Bit(0) == 0:
		return nil, errors.New("an RSA key has a bad e")
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, nil
}

func (j *jwk) ec() (*ecdsa.PublicKey, error) {
	var curve elliptic.Curve
	switch j.Curve {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil, fmt.Errorf("curve %.20q is not known", j.Curve)
	}
	size := (curve.Params().BitSize + 7) / 8
	point := make([]byte, 1+2*size)
	point[0] = 4 // uncompressed (SEC 1, section 2.3.3)
	for i, text := range []string{j.X, j.Y} {
		value, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(value) > size {
			return nil, errors.New("an EC key has no readable x and y")
		}
		end := 1 + (i+1)*size
		copy(point[end-len(value):end], value)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, fmt.Errorf("read an EC key: %w", err)
	}
	return public, nil
}

// verify tries the keys that a token may mean: those with its kid, and those of whose kid one of both sides
// says nothing.
func (s *Set) verify(a algorithm, id string, signed, signature []byte) error {
	err, tries := ErrUnknownKey, 0
	for i := range s.keys {
		k := &s.keys[i]
		if id != "" && k.id != "" && k.id != id || k.algorithm != "" && k.algorithm != a.name || !k.fits(a) {
			continue
		}
		if tries++; tries > maxTries {
			break
		}
		if err = k.verify(a, signed, signature); err == nil {
			return nil
		}
	}
	return err
}
