package cloudapi

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// ServeNames answers questions for addresses as CNS does, until ctx ends: UDP, A records that live a short time, and
// NXDOMAIN for names that are none. It returns the address at which it listens.
func (s *Server) ServeNames(ctx context.Context, address string, names func() map[string][]string) (string, error) {
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", address)
	if err != nil {
		return "", err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer := reply(buffer[:n], names()); answer != nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return conn.LocalAddr().String(), nil
}

func reply(question []byte, names map[string][]string) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	out := dnsmessage.Message{Header: m.Header, Questions: m.Questions}
	out.Response, out.Authoritative, out.RecursionAvailable = true, true, true
	addresses, known := names[name]
	if !known {
		out.RCode = dnsmessage.RCodeNameError
	}
	const life = 5 // seconds
	for _, text := range addresses {
		ip, err := netip.ParseAddr(text)
		if err != nil || q.Type != dnsmessage.TypeA || !ip.Is4() {
			continue
		}
		out.Answers = append(out.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: life},
			Body:   &dnsmessage.AResource{A: ip.As4()},
		})
	}
	data, err := out.Pack()
	if err != nil {
		return nil
	}
	return data
}
