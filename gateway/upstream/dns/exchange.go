package dns

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// udpSize is the size of answers over UDP that is asked for: it passes every network unfragmented (RFC 9715).
const udpSize = 1232

// ask sends one question to the configured servers until one of them answers it. A name that does not exist
// is an answer. The error tells of the last server that was asked.
func (q *query) ask(ctx context.Context, name string, kind dnsmessage.Type) (*dnsmessage.Message, error) {
	var last error
	for range q.Attempts {
		for _, server := range q.Servers {
			reply, err := q.askServer(ctx, server, name, kind)
			if err == nil {
				return reply, nil
			}
			if last = fmt.Errorf("ask %s for %s: %w", server, name, err); ctx.Err() != nil {
				return nil, last
			}
		}
	}
	return nil, last
}

func (q *query) askServer(ctx context.Context, server, name string, kind dnsmessage.Type) (*dnsmessage.Message, error) {
	query, question, err := newQuery(name, kind, q.variant)
	if err != nil {
		return nil, err
	}
	var reply *dnsmessage.Message
	if !q.TCP {
		reply, err = exchange(ctx, "udp", server, query, question, q.Timeout)
	}
	if q.TCP || err == nil && reply.Truncated { // RFC 7766, section 5
		reply, err = exchange(ctx, "tcp", server, query, question, q.Timeout)
	}
	if err != nil {
		return nil, err
	}
	if code := reply.RCode; code != dnsmessage.RCodeSuccess && code != dnsmessage.RCodeNameError {
		return nil, fmt.Errorf("the server answered %s", strings.TrimPrefix(code.String(), "RCode"))
	}
	return reply, nil
}

// newQuery packs a question with a random id (RFC 5452) and the size that we take (RFC 6891).
func newQuery(name string, kind dnsmessage.Type, variant int) ([]byte, dnsmessage.Question, error) {
	n, err := dnsmessage.NewName(name + ".")
	if err != nil {
		return nil, dnsmessage.Question{}, fmt.Errorf("%q is no name that DNS could hold", name)
	}
	var id [2]byte
	_, _ = rand.Read(id[:]) // never fails
	question := dnsmessage.Question{Name: n, Type: kind, Class: dnsmessage.ClassINET}
	var edns dnsmessage.ResourceHeader
	if err := edns.SetEDNS0(udpSize, dnsmessage.RCodeSuccess, variant&1 != 0); err != nil {
		return nil, question, fmt.Errorf("pack question: %w", err)
	}
	query := dnsmessage.Message{
		Header:      dnsmessage.Header{ID: binary.BigEndian.Uint16(id[:]), RecursionDesired: true, CheckingDisabled: variant&2 != 0},
		Questions:   []dnsmessage.Question{question},
		Additionals: []dnsmessage.Resource{{Header: edns, Body: &dnsmessage.OPTResource{}}},
	}
	packed, err := query.Pack()
	if err != nil {
		return nil, question, fmt.Errorf("pack question: %w", err)
	}
	return packed, question, nil
}

// exchange sends a query on a socket of its own, so that its port is random too, and waits for what answers it.
func exchange(ctx context.Context, network, server string, query []byte, question dnsmessage.Question, timeout time.Duration) (*dnsmessage.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if network == "tcp" {
		query = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...) //nolint:gosec // a question is short
	}
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	id := query[:2]
	if network == "tcp" {
		id = query[2:4]
	}
	for {
		packed, err := receive(conn, network)
		if err != nil {
			return nil, err
		}
		reply := &dnsmessage.Message{}
		broken := reply.Unpack(packed)
		if len(packed) < 2 || packed[0] != id[0] || packed[1] != id[1] || broken == nil && !answers(reply, question) {
			continue // not for us: forged, or late
		}
		if broken != nil {
			return nil, fmt.Errorf("read answer: %w", broken)
		}
		return reply, nil
	}
}

func receive(conn net.Conn, network string) ([]byte, error) {
	if network == "udp" {
		buf := make([]byte, 4096)
		n, err := conn.Read(buf)
		return buf[:n], err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, errors.Join(errors.New("read answer over TCP"), err)
	}
	buf := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(conn, buf)
	return buf, err
}

// answers tells whether a message is the answer to a question.
func answers(m *dnsmessage.Message, q dnsmessage.Question) bool {
	if !m.Response || len(m.Questions) != 1 {
		return false
	}
	got := m.Questions[0]
	return got.Type == q.Type && got.Class == q.Class && strings.EqualFold(got.Name.String(), q.Name.String())
}
