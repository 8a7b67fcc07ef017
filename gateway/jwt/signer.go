package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

// Signer makes tokens with one key and one algorithm. It is safe for concurrent use.
type Signer struct {
	algorithm algorithm
	secret    []byte
	private   crypto.Signer
}

// NewSigner returns a signer. The key is a secret for HS algorithms, else a PEM private key that fits.
func NewSigner(text []byte, name string) (*Signer, error) {
	a, ok := find(known(), name)
	if !ok {
		return nil, fmt.Errorf("%q is no algorithm that is known", name)
	}
	if len(text) == 0 {
		return nil, errors.New("the key is empty: anybody could sign")
	}
	if a.kind == hs {
		return &Signer{algorithm: a, secret: text}, nil
	}
	private, err := privateKey(text)
	if err != nil {
		return nil, err
	}
	if !(key{public: private.Public()}).fits(a) {
		return nil, fmt.Errorf("the key does not fit the algorithm %s", name)
	}
	if k, isRSA := private.(*rsa.PrivateKey); isRSA && k.N.BitLen() < minRSA {
		return nil, fmt.Errorf("an RSA key of %d bits is too short; use 2048", k.N.BitLen())
	}
	return &Signer{algorithm: a, private: private}, nil
}

func privateKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the key is no PEM private key: line breaks may be lost")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "PRIVATE KEY":
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		if private, ok := parsed.(crypto.Signer); ok {
			return private, nil
		}
	}
	return nil, fmt.Errorf("PEM type %q is no private key that can sign", block.Type)
}

// Sign returns the token that says claims.
func (s *Signer) Sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+s.algorithm.name+`","typ":"JWT"}`)) +
		"." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := s.signature([]byte(signed))
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func (s *Signer) signature(signed []byte) ([]byte, error) {
	if s.algorithm.kind == hs {
		mac := hmac.New(s.algorithm.hash.New, s.secret)
		mac.Write(signed)
		return mac.Sum(nil), nil
	}
	h := s.algorithm.hash.New()
	h.Write(signed)
	digest := h.Sum(nil)
	switch private := s.private.(type) {
	case *ecdsa.PrivateKey:
		r, v, err := ecdsa.Sign(rand.Reader, private, digest)
		if err != nil {
			return nil, err
		}
		size := (s.algorithm.bits + 7) / 8
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		v.FillBytes(out[size:])
		return out, nil
	default:
		if s.algorithm.kind == ps {
			return private.Sign(rand.Reader, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.algorithm.hash})
		}
		return private.Sign(rand.Reader, digest, s.algorithm.hash)
	}
}
