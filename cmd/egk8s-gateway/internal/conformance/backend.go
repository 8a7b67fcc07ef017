package conformance

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stub is a backend that answers by rules and remembers what it saw. It reads HTTP itself, so that
// the target it saw is byte for byte what the gateway sent.
type stub struct {
	name     string
	listener net.Listener
	done     context.Context //nolint:containedctx // the stub's own life
	stop     context.CancelFunc
	all      sync.WaitGroup

	mu    sync.Mutex
	spec  Backend
	seen  []map[string]any // method, url, headers, body
	conns map[net.Conn]bool
}

// newStub listens on a free loopback port. Certificates are files below dir.
func newStub(ctx context.Context, name string, spec Backend, dir string) (*stub, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if spec.TLS != nil {
		cert, err := tls.LoadX509KeyPair(filepath.Join(dir, spec.TLS.Cert), filepath.Join(dir, spec.TLS.Key))
		if err != nil {
			return nil, errors.Join(err, l.Close())
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	}
	s := &stub{name: name, spec: spec, listener: l, conns: map[net.Conn]bool{}}
	s.done, s.stop = context.WithCancel(ctx)
	s.all.Go(s.serve)
	return s, nil
}

func (s *stub) port() string { return strconv.Itoa(s.listener.Addr().(*net.TCPAddr).Port) }

// close ends the stub and waits for its connections.
func (s *stub) close() {
	s.stop()
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.all.Wait()
}

// use replaces what the stub does.
func (s *stub) use(spec Backend) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spec = spec
}

func (s *stub) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

// saw returns how many requests came since forget, and the last one.
func (s *stub) saw() (count int, last map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) == 0 {
		return 0, nil
	}
	return len(s.seen), s.seen[len(s.seen)-1]
}

func (s *stub) serve() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.all.Go(func() {
			defer func() {
				_ = c.Close()
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
			}()
			in := bufio.NewReader(c)
			for s.answer(in, c) == nil {
			}
		})
	}
}

// answer reads one request and writes one answer; an error ends the connection.
func (s *stub) answer(in *bufio.Reader, out io.Writer) error {
	reader := textproto.NewReader(in)
	line, err := reader.ReadLine()
	if err != nil {
		return err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 {
		return fmt.Errorf("bad request line %q", line)
	}
	header, err := reader.ReadMIMEHeader()
	if err != nil {
		return err
	}
	body, err := readRequestBody(in, header)
	if err != nil {
		return err
	}
	headers := map[string]any{}
	for name, values := range header {
		headers[strings.ToLower(name)] = values[len(values)-1]
	}
	s.mu.Lock()
	s.seen = append(s.seen, map[string]any{
		"method": parts[0], "url": parts[1], "headers": headers, "body": strings.ToValidUTF8(string(body), "\uFFFD"),
	})
	s.mu.Unlock()
	rule := s.rule(parts[0], parts[1])
	select {
	case <-s.done.Done():
		return s.done.Err()
	case <-time.After(time.Duration(rule.DelayMS) * time.Millisecond):
	}
	if rule.Close {
		return io.EOF
	}
	return s.write(out, parts[0], rule)
}

func readRequestBody(in *bufio.Reader, header textproto.MIMEHeader) ([]byte, error) {
	if strings.Contains(strings.ToLower(header.Get("Transfer-Encoding")), "chunked") {
		body, err := io.ReadAll(httputil.NewChunkedReader(in))
		if err != nil {
			return nil, err
		}
		_, err = textproto.NewReader(in).ReadMIMEHeader() // trailers and the last empty line
		return body, err
	}
	size, _ := strconv.Atoi(header.Get("Content-Length"))
	body := make([]byte, size)
	_, err := io.ReadFull(in, body)
	return body, err
}

func (s *stub) rule(method, target string) Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.spec.Rules {
		if r.Method != "" && r.Method != method {
			continue
		}
		if r.Path == "" {
			return r
		}
		if re, err := regexp.Compile(r.Path); err == nil && re.MatchString(target) {
			return r
		}
	}
	return Rule{}
}

// write answers by the rule; the default is 200 "ok from NAME".
func (s *stub) write(to io.Writer, method string, rule Rule) error {
	if rule.Status == 0 {
		rule.Status = 200
	}
	body, ok := rule.Body.(string)
	if !ok {
		body = "ok from " + s.name
		if rule.Body != nil {
			body = spaced(rule.Body)
		}
	}
	out := bufio.NewWriter(to)
	fmt.Fprintf(out, "HTTP/1.1 %d %s\r\nServer: stub\r\n", rule.Status, http.StatusText(rule.Status))
	writeHeaders(out, rule)
	hasBody := rule.Status != 204 && rule.Status != 304
	switch {
	case rule.Chunked > 0:
		fmt.Fprint(out, "Transfer-Encoding: chunked\r\n\r\n")
		if method != http.MethodHead {
			return s.writeChunks(out, body, rule.Chunked)
		}
	case hasBody:
		fmt.Fprintf(out, "Content-Length: %d\r\n\r\n", len(body))
		if method != http.MethodHead {
			fmt.Fprint(out, body)
		}
	default:
		fmt.Fprint(out, "\r\n")
	}
	return out.Flush()
}

// spaced is JSON with a blank after each comma and colon, as the stubs wrote it when the cases were recorded.
func spaced(v any) string {
	var parts []string
	switch x := v.(type) {
	case []any:
		for _, one := range x {
			parts = append(parts, spaced(one))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			parts = append(parts, show(key)+": "+spaced(x[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(text)
	}
}

func writeHeaders(out io.Writer, rule Rule) {
	typed := rule.Status == 204
	for name, value := range rule.Headers {
		typed = typed || strings.EqualFold(name, "Content-Type")
		values, isList := value.([]any)
		if !isList {
			values = []any{value}
		}
		for _, v := range values {
			fmt.Fprintf(out, "%s: %s\r\n", name, asText(v))
		}
	}
	if !typed {
		fmt.Fprint(out, "Content-Type: text/plain\r\n")
	}
}

// writeChunks sends the body in small pieces with pauses, so that it arrives in pieces.
func (s *stub) writeChunks(out *bufio.Writer, body string, size int) error {
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(out, "%x\r\n%s\r\n", n, body[:n])
		if err := out.Flush(); err != nil {
			return err
		}
		body = body[n:]
		select {
		case <-s.done.Done():
			return s.done.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	fmt.Fprint(out, "0\r\n\r\n")
	return out.Flush()
}
