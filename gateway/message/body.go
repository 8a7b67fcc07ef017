package message

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"
)

// MaxBody is the size in bytes up to which a body is parsed, decompressed. EG: "100kb" of body-parser.
const MaxBody = 100 << 10

// kind is how a body was written.
type kind int

const (
	noBody kind = iota // none, or of a type that is not parsed
	jsonBody
	formBody
)

// ParseBody reads a body that is JSON or a form into Parsed, an object or a list; any other body is left
// unread, and Parsed is an empty object. The body can be sent on unchanged afterwards. A second call does
// nothing. An error is a StatusError: 400, 413 or 415.
//
// EG: express.json() and express.urlencoded({extended: true}).
func (r *Request) ParseBody() error {
	if r.Parsed != nil {
		return nil
	}
	written, charset := r.bodyType()
	if r.Body == nil || written == noBody {
		r.Parsed = map[string]any{}
		return nil
	}
	if charset != "" && charset != "utf-8" && (written == formBody || !strings.HasPrefix(charset, "utf-")) {
		return unsupported("charset %q", charset)
	}
	raw, err := r.readBody()
	if err != nil {
		return err
	}
	plain, err := r.decompress(raw)
	if err != nil {
		return err
	}
	if written == formBody {
		err = r.parseForm(string(plain))
	} else {
		err = r.parseJSON(plain, charset)
	}
	if err != nil {
		return err
	}
	r.Body, r.ContentLength = bytes.NewReader(raw), int64(len(raw))
	return nil
}

// bodyType tells by Content-Type how the body is written.
func (r *Request) bodyType() (kind, string) {
	name, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return noBody, ""
	}
	charset := strings.ToLower(params["charset"])
	switch name {
	case "application/json":
		return jsonBody, charset
	case "application/x-www-form-urlencoded":
		return formBody, charset
	default:
		return noBody, ""
	}
}

// readBody reads the body as sent.
func (r *Request) readBody() ([]byte, error) {
	if r.ContentLength > MaxBody {
		return nil, tooLarge("the body has %d bytes, and at most %d are parsed", r.ContentLength, MaxBody)
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead) // else the buffer would grow to see the end
	}
	n, err := buf.ReadFrom(io.LimitReader(r.Body, MaxBody+1))
	limit, limited := errors.AsType[*StatusError](err)
	switch {
	case limited: // of the engine
		return nil, limit
	case err != nil:
		return nil, badRequest(fmt.Errorf("read body: %w", err))
	case n > MaxBody:
		return nil, tooLarge("the body has more than %d bytes", MaxBody)
	}
	return buf.Bytes(), nil
}

// decompress undoes Content-Encoding.
func (r *Request) decompress(raw []byte) ([]byte, error) {
	var reader io.Reader
	var err error
	switch encoding := strings.ToLower(r.Header.Joined("Content-Encoding")); encoding {
	case "", "identity":
		return raw, nil
	case "gzip":
		reader, err = gzip.NewReader(bytes.NewReader(raw))
	case "deflate":
		reader, err = zlib.NewReader(bytes.NewReader(raw))
	default:
		return nil, unsupported("content encoding %q", encoding)
	}
	if err != nil {
		return nil, badRequest(fmt.Errorf("decompress body: %w", err))
	}
	plain, err := io.ReadAll(io.LimitReader(reader, MaxBody+1))
	switch {
	case err != nil:
		return nil, badRequest(fmt.Errorf("decompress body: %w", err))
	case len(plain) > MaxBody:
		return nil, tooLarge("the body has more than %d bytes when decompressed", MaxBody)
	}
	return plain, nil
}

// SetBody replaces the body by text of a type; what described the old one goes away.
func (r *Request) SetBody(contentType string, text []byte) {
	r.Body, r.ContentLength = bytes.NewReader(text), int64(len(text))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Content-Length", strconv.Itoa(len(text)))
	r.Header.Del("Content-Encoding")
	r.Header.Del("Transfer-Encoding")
	r.Header.Del("Content-Md5")
	r.Header.Del("Digest")
	r.Trailer = nil
}

// EncodeParsed writes Parsed in the type that the body had: a form stays a form, everything else is JSON.
// EG: a form without fields becomes JSON too.
func (r *Request) EncodeParsed() (contentType string, text []byte, err error) {
	object, isObject := r.Parsed.(map[string]any)
	if isObject && r.written == formBody {
		return "application/x-www-form-urlencoded", encodeForm(object, r.ordered(object)), nil
	}
	if isObject {
		text, err = encodeObject(object, r.ordered(object), r.raw)
	} else {
		text, err = encodeJSON(r.Parsed)
	}
	return "application/json", text, err
}
