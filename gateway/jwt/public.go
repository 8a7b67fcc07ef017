package jwt

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// PublicKey returns what a Verifier needs of a key that a Signer has: the secret itself for HS algorithms, else the
// public key in PEM form.
func PublicKey(text []byte, algorithm string) ([]byte, error) {
	if a, ok := find(known(), algorithm); !ok || a.kind == hs {
		return text, nil
	}
	private, err := privateKey(text)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
