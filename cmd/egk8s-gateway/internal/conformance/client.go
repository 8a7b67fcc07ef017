package conformance

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// answerLimit is how long an answer may take.
const answerLimit = 15 * time.Second

// answer is what came back for one request.
type answer struct {
	status   int
	headers  map[string]any // lower-case names; several values joined by ", "
	body     string
	json     any // nil when the body is none
	took     time.Duration
	peerCert []byte
}

// client sends a case's requests byte for byte, each on a connection of its own, and keeps cookies.
type client struct {
	dir   string
	ports map[string]string // by target
	jar   map[string]string
}

func (c *client) do(ctx context.Context, r Request) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	target := r.Target
	if target == "" {
		target = "gateway"
	}
	conn, cert, err := c.dial(ctx, target, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return nil, err
	}
	text, method := c.request(r, c.ports[target])
	start := time.Now()
	if _, err := conn.Write(text); err != nil {
		return nil, err
	}
	a, err := c.read(conn, method)
	if err != nil {
		return nil, err
	}
	a.took, a.peerCert = time.Since(start), cert
	return a, nil
}

func (c *client) dial(ctx context.Context, target string, r Request) (net.Conn, []byte, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", "127.0.0.1:"+c.ports[target])
	if err != nil || target != "https" {
		return conn, nil, err
	}
	config := &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // which certificate is shown is what the cases compare
		ServerName:         "localhost", MinVersion: tls.VersionTLS12,
	}
	if r.SNI != "" {
		config.ServerName = r.SNI
	}
	if r.ClientCert != nil {
		pair, err := tls.LoadX509KeyPair(filepath.Join(c.dir, r.ClientCert.Cert), filepath.Join(c.dir, r.ClientCert.Key))
		if err != nil {
			return nil, nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return secure, secure.ConnectionState().PeerCertificates[0].Raw, nil
}

// request writes the request out; headers are sent as the case spells them.
func (c *client) request(r Request, port string) (text []byte, method string) {
	headers := maps.Clone(r.Headers)
	if headers == nil {
		headers = map[string]string{}
	}
	set := func(name, value string) {
		for have := range headers {
			if strings.EqualFold(have, name) {
				return
			}
		}
		headers[name] = value
	}
	body, kind := bodyOf(r)
	if kind != "" {
		set("Content-Type", kind)
	}
	if len(r.Basic) > 0 {
		headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(strings.Join(r.Basic, ":")))
	}
	if (r.Cookies == nil || *r.Cookies) && len(c.jar) > 0 {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(c.jar)) {
			pairs = append(pairs, name+"="+c.jar[name])
		}
		set("Cookie", strings.Join(pairs, "; "))
	}
	host := r.Host
	if host == "" {
		host = "localhost:" + port
	}
	set("Host", host)
	_, chunked := headers["Transfer-Encoding"]
	if body != nil && !chunked {
		set("Content-Length", fmt.Sprint(len(*body)))
	}
	method, path := r.Method, r.Path
	if method == "" {
		method = http.MethodGet
	}
	if path == "" {
		path = "/"
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s HTTP/1.1\r\n", method, path)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fmt.Fprintf(&out, "%s: %s\r\n", name, headers[name])
	}
	out.WriteString("\r\n")
	if body != nil {
		out.WriteString(*body)
	}
	return out.Bytes(), method
}

// bodyOf returns the body, nil for none, and the content type that goes with it.
func bodyOf(r Request) (body *string, kind string) {
	switch {
	case r.Form != nil:
		values := url.Values{}
		for name, value := range r.Form {
			values.Set(name, value)
		}
		text := values.Encode()
		return &text, "application/x-www-form-urlencoded"
	case r.JSON != nil:
		encoded, err := json.Marshal(r.JSON)
		if err != nil {
			return nil, ""
		}
		text := string(encoded)
		return &text, "application/json"
	case r.BodyRepeat != nil:
		text := r.BodyRepeat.Prefix + strings.Repeat(r.BodyRepeat.Text, r.BodyRepeat.Times) + r.BodyRepeat.Suffix
		return &text, ""
	default:
		return r.Body, ""
	}
}

func (c *client) read(conn io.Reader, method string) (*answer, error) {
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	for err == nil && res.StatusCode < 200 {
		res, err = http.ReadResponse(in, &http.Request{Method: method})
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	a := &answer{status: res.StatusCode, headers: map[string]any{}, body: strings.ToValidUTF8(string(body), "\uFFFD")}
	for name, values := range res.Header {
		a.headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	if res.ContentLength >= 0 && res.Header.Get("Content-Length") == "" && len(res.TransferEncoding) == 0 {
		a.headers["content-length"] = fmt.Sprint(res.ContentLength)
	}
	if len(res.TransferEncoding) > 0 {
		a.headers["transfer-encoding"] = strings.Join(res.TransferEncoding, ", ")
	}
	for _, cookie := range res.Cookies() {
		c.jar[cookie.Name] = cookie.Value
	}
	if json.Unmarshal(body, &a.json) != nil {
		a.json = nil
	}
	return a, nil
}
