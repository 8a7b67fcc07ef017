// Package dnstest is a scripted name server on loopback, for tests of what looks names up.
package dnstest

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Server answers over UDP and TCP from what the test put into it. Names that it does not know do not exist.
type Server struct {
	// Addr is host and port of both sockets.
	Addr string

	mu    sync.Mutex
	names map[string]*Name
	asked map[string][]string // the flags of each question
}

// Name is what the server says of one name.
type Name struct {
	Addrs []string
	SRV   []SRV
	CNAME string
	// TTL is that of all records.
	TTL time.Duration
	// Code is an error to answer with instead.
	Code dnsmessage.RCode
	// Truncate cuts answers over UDP.
	Truncate bool
	// Silent lets every question go unanswered.
	Silent bool
}

// SRV is a service record.
type SRV struct {
	Target         string
	Port, Priority uint16
	// Glue puts the target's address into the additional section.
	Glue bool
}

// New starts a server that ends with the test.
func New(t *testing.T) *Server {
	t.Helper()
	s := &Server{names: map[string]*Name{}, asked: map[string][]string{}}
	var tcp net.Listener
	var udp net.PacketConn
	for range 20 { // the same port must be free for both
		var err error
		if tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil { //nolint:noctx // of a test
			t.Fatal(err)
		}
		if udp, err = net.ListenPacket("udp", tcp.Addr().String()); err == nil { //nolint:noctx // of a test
			break
		}
		_ = tcp.Close()
	}
	s.Addr = tcp.Addr().String()
	var running sync.WaitGroup
	running.Go(func() { s.serveUDP(udp) })
	running.Go(func() { s.serveTCP(tcp) })
	t.Cleanup(func() {
		_ = tcp.Close()
		_ = udp.Close()
		running.Wait()
	})
	return s
}

// Set says what the server knows of a name from now on; nil: nothing.
func (s *Server) Set(name string, n *Name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[strings.ToLower(name)+"."] = n
}

// Asked returns how often a name was asked for, with the question's type, such as "backend.shop. TypeA".
func (s *Server) Asked(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked[what])
}

// Flags returns the flags that each of these questions had: "", "DO", "CD" or "DO CD".
func (s *Server) Flags(what string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked[what])
}

func flags(m *dnsmessage.Message) string {
	var list []string
	for _, r := range m.Additionals {
		if r.Header.DNSSECAllowed() {
			list = append(list, "DO")
		}
	}
	if m.CheckingDisabled {
		list = append(list, "CD")
	}
	return strings.Join(list, " ")
}

func (s *Server) serveUDP(conn net.PacketConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := s.reply(buf[:n], true); reply != nil {
			_, _ = conn.WriteTo(reply, from)
		}
	}
}

func (s *Server) serveTCP(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err == nil {
			buf := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(conn, buf); err == nil {
				if reply := s.reply(buf, false); reply != nil {
					_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)) //nolint:gosec // short
				}
			}
		}
		_ = conn.Close()
	}
}

func (s *Server) reply(packed []byte, udp bool) []byte {
	var m dnsmessage.Message
	if m.Unpack(packed) != nil || len(m.Questions) != 1 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := m.Questions[0]
	name := strings.ToLower(q.Name.String())
	what := name + " " + q.Type.String()
	s.asked[what] = append(s.asked[what], flags(&m))
	out := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true},
		Questions: m.Questions,
	}
	n := s.names[name]
	switch {
	case n == nil:
		out.RCode = dnsmessage.RCodeNameError
	case n.Silent:
		return nil
	case n.Code != 0:
		out.RCode = n.Code
	case n.Truncate && udp:
		out.Truncated = true
	default:
		s.fill(&out, n, q)
	}
	reply, err := out.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// fill adds the records of a name, those of an alias behind it.
func (s *Server) fill(out *dnsmessage.Message, n *Name, q dnsmessage.Question) {
	name := q.Name
	if n.CNAME != "" {
		alias := dnsmessage.MustNewName(n.CNAME + ".")
		out.Answers = append(out.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: name, Class: q.Class, TTL: seconds(n.TTL)}, Body: &dnsmessage.CNAMEResource{CNAME: alias},
		})
		name = alias
		if n = s.names[strings.ToLower(alias.String())]; n == nil {
			return
		}
	}
	if q.Type == dnsmessage.TypeSRV {
		for _, srv := range n.SRV {
			target := dnsmessage.MustNewName(strings.TrimSuffix(srv.Target, ".") + ".")
			out.Answers = append(out.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: name, Class: q.Class, TTL: seconds(n.TTL)},
				Body:   &dnsmessage.SRVResource{Target: target, Port: srv.Port, Priority: srv.Priority, Weight: 1},
			})
			if host := s.names[strings.ToLower(target.String())]; srv.Glue && host != nil {
				out.Additionals = append(out.Additionals, addresses(target, host, dnsmessage.TypeA)...)
			}
		}
		return
	}
	out.Answers = append(out.Answers, addresses(name, n, q.Type)...)
}

func addresses(name dnsmessage.Name, n *Name, kind dnsmessage.Type) []dnsmessage.Resource {
	var list []dnsmessage.Resource
	for _, text := range n.Addrs {
		addr := netip.MustParseAddr(text)
		header := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: seconds(n.TTL)}
		switch {
		case addr.Is4() && kind == dnsmessage.TypeA:
			list = append(list, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case addr.Is6() && kind == dnsmessage.TypeAAAA:
			list = append(list, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	return list
}

func seconds(d time.Duration) uint32 { return uint32(d / time.Second) } //nolint:gosec // of a test
