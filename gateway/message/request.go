package message

import (
	"io"
	"net/netip"
	"strings"

	"egk8s.dev/egk8s/gateway/consumer"
)

// Request is what the client sent.
type Request struct {
	Method string
	// URL is the request target: path and query byte for byte as sent, or as a policy rewrote it.
	URL string
	// OriginalURL is the target as sent; no policy changes it.
	OriginalURL string
	// Proto is "1.0", "1.1" or "2.0".
	Proto string
	// Host is the Host header as sent, with its port.
	Host string
	// Header are all other fields; policies may change them, and what is left goes to the backend.
	Header Header
	// Body is the body; nil when there is none. It is read once.
	Body io.Reader
	// ContentLength is the body's length in bytes, -1 when only its end will tell.
	ContentLength int64
	// Upgrade is the protocol that the client wants to switch to, as in the Upgrade field; empty: none, or
	// the connection cannot.
	Upgrade string
	// Trailer returns the fields sent behind the body, once Body is read; nil when the engine has none.
	Trailer func() Header
	// Remote is the client's address: the peer's, or what a trusted proxy says it is.
	Remote netip.AddrPort
	// Peer is the address of the connection's other end.
	Peer netip.AddrPort
	// TLS describes the connection; nil on plain HTTP.
	TLS *TLS

	// Consumer is who an authentication policy found; nil before that and when anonymous.
	// EG: req.user.
	Consumer *consumer.Consumer
	// Credential is what the consumer showed; nil without Consumer.
	Credential *consumer.Credential
	// Claims is req.user of a caller who is known by a token only: its verified claims, or the answer of
	// an introspection; nil with a Consumer and before that. Do not change it: it may be shared.
	Claims map[string]any
	// Parsed is req.body: the decoded JSON or form, once a policy or a condition parsed the body; else nil.
	Parsed any

	query  Query
	parsed string

	// Of ParseBody: how the body was written, the outermost names of Parsed in its order, and their JSON.
	written kind
	order   []string
	raw     map[string][]byte
}

// TLS are the facts of a TLS connection.
type TLS struct {
	ServerName string // SNI
	// ClientVerified is true when the client showed a certificate that a configured CA signed.
	ClientVerified bool
}

// Path returns the URL without its query.
func (r *Request) Path() string {
	path, _, _ := strings.Cut(r.URL, "?")
	return path
}

// Query returns the parsed query of the current URL. Do not change it.
func (r *Request) Query() Query {
	if r.query == nil || r.parsed != r.URL {
		_, raw, _ := strings.Cut(r.URL, "?")
		r.query, r.parsed = ParseQuery(raw), r.URL
	}
	return r.query
}

// Hostname returns the Host header without its port; the brackets of an IPv6 address stay.
func (r *Request) Hostname() string {
	from := 0
	if strings.HasPrefix(r.Host, "[") {
		from = strings.IndexByte(r.Host, ']') + 1
	}
	if i := strings.IndexByte(r.Host[from:], ':'); i >= 0 {
		return r.Host[:from+i]
	}
	return r.Host
}

// Scheme returns "https" or "http".
func (r *Request) Scheme() string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// ClientIP returns the client's address as text, IPv4 addresses without the IPv6 prefix.
func (r *Request) ClientIP() string { return r.Remote.Addr().Unmap().String() }
