package jwt

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// key is what signatures are verified by: a secret or a public key, never both.
//
// That keeps a public key, which everybody may know, from being taken for the secret of an HMAC.
type key struct {
	secret []byte
	public crypto.PublicKey // *rsa.PublicKey or *ecdsa.PublicKey
}

// minRSA is the shortest RSA key. The standard library verifies nothing with a shorter one.
const minRSA = 1024

// parseKey reads a key as jsonwebtoken recognises it: by the words of PEM in it.
func parseKey(text []byte, algorithms []string) (key, error) {
	switch {
	case len(text) == 0:
		return key{}, errors.New("the key is empty: anybody could sign")
	case bytes.Contains(text, []byte("BEGIN CERTIFICATE")), bytes.Contains(text, []byte("BEGIN PUBLIC KEY")),
		bytes.Contains(text, []byte("BEGIN RSA PUBLIC KEY")):
		return publicKey(text)
	case bytes.Contains(text, []byte("PRIVATE KEY-----")) && namesAsymmetric(algorithms):
		return publicKey(text) // EG: node takes the public half of a private key
	default:
		return key{secret: bytes.Clone(text)}, nil
	}
}

func namesAsymmetric(algorithms []string) bool {
	for _, name := range algorithms {
		if !strings.HasPrefix(name, "HS") {
			return true
		}
	}
	return false
}

func publicKey(text []byte) (key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return key{}, errors.New("the key looks like PEM, and is none: line breaks may be lost")
	}
	public, err := parseBlock(block)
	if err != nil {
		return key{}, fmt.Errorf("read the key of PEM type %q: %w", block.Type, err)
	}
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSA {
			return key{}, fmt.Errorf("an RSA key of %d bits is too short; use 2048", k.N.BitLen())
		}
	case *ecdsa.PublicKey:
	default:
		return key{}, fmt.Errorf("a key of type %T verifies none of the algorithms", public)
	}
	return key{public: public}, nil
}

func parseBlock(block *pem.Block) (crypto.PublicKey, error) {
	switch block.Type {
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return c.PublicKey, nil
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return publicOf(x509.ParsePKCS1PrivateKey(block.Bytes))
	case "EC PRIVATE KEY":
		return publicOf(x509.ParseECPrivateKey(block.Bytes))
	case "PRIVATE KEY":
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		signer, ok := private.(crypto.Signer)
		return publicOf(signer, errIf(!ok))
	default:
		return nil, errors.New("no kind of key that is known")
	}
}

func publicOf[S crypto.Signer](private S, err error) (crypto.PublicKey, error) {
	if err != nil {
		return nil, err
	}
	return private.Public(), nil
}

func errIf(bad bool) error {
	if bad {
		return errors.New("it cannot sign")
	}
	return nil
}
