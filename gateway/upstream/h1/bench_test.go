package h1_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream/h1"
)

// plain answers each head that comes in one piece, without any work.
func plain(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	answer := []byte("HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Type: text/plain\r\nServer: x\r\n" +
		"Content-Length: 17\r\n\r\nseventeen bytes..")
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 8<<10)
				for {
					n, err := conn.Read(buf)
					if err != nil || !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
						return
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// BenchmarkDo is one request and its answer over a kept connection.
func BenchmarkDo(b *testing.B) {
	p := h1.New(plain(b), h1.Options{})
	b.Cleanup(p.Close)
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	r := request("GET", "/some/path?q=1")
	r.Header.Set("User-Agent", "bench")
	r.Header.Set("Accept", "*/*")
	r.Reply = message.NewHeader(8)
	buf := make([]byte, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := p.Do(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, buf[:17]); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}

// BenchmarkTransport is the same with net/http's client.
func BenchmarkTransport(b *testing.B) {
	tr := &http.Transport{DisableCompression: true}
	b.Cleanup(tr.CloseIdleConnections)
	url := "http://" + plain(b) + "/some/path?q=1"
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	buf := make([]byte, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header["User-Agent"], req.Header["Accept"] = []string{"bench"}, []string{"*/*"}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, buf[:17]); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}
