package cloudapi

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha1" // the algorithms of old clients
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

var parameter = regexp.MustCompile(`([a-zA-Z]+)="([^"]*)"`)

// skew is how far a request's date may be off.
const skew = 300 * time.Second

// verify checks the signature of a request against the account's keys.
func (s *Server) verify(r *http.Request) error {
	refuse := func(format string, args ...any) error {
		return &failure{http.StatusUnauthorized, "InvalidCredentials", fmt.Sprintf(format, args...)}
	}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Signature") {
		return refuse("no signature")
	}
	values := map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(rest, -1) {
		values[m[1]] = m[2]
	}
	who := strings.Split(strings.Trim(values["keyId"], "/"), "/")
	if len(who) < 3 || who[0] != s.Account.Login || who[len(who)-2] != "keys" {
		return refuse("keyId %q", values["keyId"])
	}
	key, ok := s.keys[strings.TrimPrefix(who[len(who)-1], "MD5:")]
	if !ok {
		return refuse("the key is not of this account")
	}
	headers := strings.Fields(strings.ToLower(values["headers"]))
	if !slices.Contains(headers, "date") {
		return refuse("the date is not signed")
	}
	date, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return refuse("date: %v", err)
	}
	if off := s.Now().Sub(date).Abs(); off > skew {
		return refuse("clock skew of %s", off)
	}
	signature, err := base64.StdEncoding.DecodeString(values["signature"])
	if err != nil {
		return refuse("signature: %v", err)
	}
	if err := check(key, strings.ToLower(values["algorithm"]), signed(r, headers), signature); err != nil {
		return refuse("%v", err)
	}
	return nil
}

// signed is the text that was signed.
func signed(r *http.Request, headers []string) []byte {
	lines := make([]string, len(headers))
	for i, name := range headers {
		switch name {
		case "(request-target)":
			lines[i] = name + ": " + strings.ToLower(r.Method) + " " + r.RequestURI
		case "host":
			lines[i] = name + ": " + r.Host
		default:
			lines[i] = name + ": " + strings.Join(r.Header.Values(name), ", ")
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

func check(key crypto.PublicKey, algorithm string, text, signature []byte) error {
	kind, hashName, _ := strings.Cut(algorithm, "-")
	hash := map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512}[hashName]
	if !hash.Available() {
		return fmt.Errorf("algorithm %q", algorithm)
	}
	h := hash.New()
	h.Write(text)
	digest := h.Sum(nil)
	good := false
	switch key := key.(type) {
	case *rsa.PublicKey:
		good = kind == "rsa" && rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		good = kind == "ecdsa" && ecdsa.VerifyASN1(key, digest, signature)
	case ed25519.PublicKey:
		good = kind == "ed25519" && ed25519.Verify(key, text, signature)
	}
	if !good {
		return errors.New("the signature is wrong")
	}
	return nil
}
