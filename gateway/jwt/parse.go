package jwt

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parts are the pieces of a token, decoded but for what is signed.
type parts struct {
	signed                     []byte
	header, payload, signature []byte
}

// split takes a token apart: three pieces of base64url without padding, none of them empty.
func split(token string) (parts, error) {
	if len(token) > MaxLength {
		return parts{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, MaxLength)
	}
	header, rest, ok := strings.Cut(token, ".")
	payload, signature, two := strings.Cut(rest, ".")
	if !ok || !two || header == "" || payload == "" || signature == "" {
		return parts{}, fmt.Errorf("%w: not three pieces", ErrMalformed)
	}
	p := parts{signed: []byte(token[:len(header)+1+len(payload)])}
	for _, one := range []struct {
		text string
		to   *[]byte
	}{{header, &p.header}, {payload, &p.payload}, {signature, &p.signature}} {
		decoded, err := decode(one.text)
		if err != nil {
			return parts{}, err
		}
		*one.to = decoded
	}
	return p, nil
}

// decode is strict: one text for every value, so that no token has a second spelling.
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") { // the standard library skips them
		return nil, fmt.Errorf("%w: line breaks", ErrMalformed)
	}
	out, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return out, nil
}

// readHeader returns the algorithm and kid, which is empty where it is no text. A field that occurs twice, and one that must be understood (crit),
// make the token malformed (RFC 7515, sections 4 and 4.1.11); all others are not read.
func readHeader(text []byte) (algorithm, id string, err error) {
	fields, err := object(text)
	if err != nil {
		return "", "", fmt.Errorf("%w: header: %w", ErrMalformed, err)
	}
	if _, critical := fields["crit"]; critical {
		return "", "", fmt.Errorf("%w: the header has critical fields", ErrMalformed)
	}
	if json.Unmarshal(fields["alg"], &algorithm) != nil || algorithm == "" {
		return "", "", ErrAlgorithm
	}
	if json.Unmarshal(fields["kid"], &id) != nil {
		id = ""
	}
	return algorithm, id, nil
}

// object reads a JSON object whose names differ.
func object(text []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("no object")
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string) // the decoder allows nothing else
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("field %q occurs twice", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	return fields, nil
}
