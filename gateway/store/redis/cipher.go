package redis

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5" //nolint:gosec // the derivation of OpenSSL's EVP_BytesToKey is what Express Gateway uses
	"encoding/hex"
	"errors"
)

// tokenCipher encrypts the secrets of tokens as node's crypto.createCipher("aes256", key) does: AES-256-CBC
// with key and IV from EVP_BytesToKey (MD5, one round, no salt). The same secret gives the same text.
type tokenCipher struct {
	block cipher.Block
	iv    []byte
}

func newTokenCipher(passphrase string) *tokenCipher {
	var derived, last []byte
	for len(derived) < 32+aes.BlockSize {
		sum := md5.Sum(append(last, passphrase...)) //nolint:gosec // see above
		last = sum[:]
		derived = append(derived, last...)
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		panic(err) // the length of the key is right
	}
	return &tokenCipher{block, derived[32 : 32+aes.BlockSize]}
}

func (c *tokenCipher) encrypt(secret string) string {
	pad := aes.BlockSize - len(secret)%aes.BlockSize
	text := append([]byte(secret), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(c.block, c.iv).CryptBlocks(text, text)
	return hex.EncodeToString(text)
}

var errCipher = errors.New("a token cannot be decrypted: is crypto.cipherKey the one that it was written with?")

func (c *tokenCipher) decrypt(encrypted string) (string, error) {
	text, err := hex.DecodeString(encrypted)
	if err != nil || len(text) == 0 || len(text)%aes.BlockSize != 0 {
		return "", errCipher
	}
	cipher.NewCBCDecrypter(c.block, c.iv).CryptBlocks(text, text)
	pad := int(text[len(text)-1])
	if pad == 0 || pad > aes.BlockSize || !bytes.HasSuffix(text, bytes.Repeat([]byte{byte(pad)}, pad)) {
		return "", errCipher
	}
	return string(text[:len(text)-pad]), nil
}
