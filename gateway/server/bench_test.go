package server_test

import (
	"bytes"
	"net"
	"testing"
)

// BenchmarkProxiedRequest counts what a request through the whole gateway costs: its client and its service
// allocate nothing, so that every allocation is the gateway's (net/http's included).
func BenchmarkProxiedRequest(b *testing.B) {
	service, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = service.Close() })
	go func() {
		for {
			conn, err := service.Accept()
			if err != nil {
				return
			}
			go answerAll(conn)
		}
	}()
	g := start(b, map[string]string{"gateway.config.yml": proxyTo("http://" + service.Addr().String())}, nil)
	conn, err := net.Dial("tcp", g.Status().Listeners["http"])
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	request := []byte("GET /some/path?q=1 HTTP/1.1\r\nHost: front.test\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
	answer := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		n := 0
		for !bytes.HasSuffix(answer[:n], []byte("seventeen bytes..")) {
			more, err := conn.Read(answer[n:])
			if err != nil {
				b.Fatal(err, string(answer[:n]))
			}
			n += more
		}
	}
}

// answerAll answers every request without a body on a connection.
func answerAll(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 17\r\n\r\nseventeen bytes..")
	in := make([]byte, 4096)
	n := 0
	for {
		more, err := conn.Read(in[n:])
		if err != nil {
			return
		}
		if n += more; bytes.HasSuffix(in[:n], []byte("\r\n\r\n")) {
			if _, err := conn.Write(answer); err != nil {
				return
			}
			n = 0
		}
	}
}
