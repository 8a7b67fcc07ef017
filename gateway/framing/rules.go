package framing

import (
	"bytes"
)

// requestLine takes what matters for the end of the request; the rest is net/http's to judge.
func (s *scanner) requestLine(line []byte) verdict {
	if string(line) == "PRI * HTTP/2.0" {
		if s.later {
			return doubtful // in the middle of a connection
		}
		return foreign
	}
	s.old = bytes.HasSuffix(line, []byte(" HTTP/1.0"))
	return fine
}

// field looks for the fields that say where the body ends.
func (s *scanner) field(line []byte) verdict {
	if line[0] == ' ' || line[0] == '\t' {
		return doubtful // folded (RFC 9112, section 5.2), or in front of the first field (section 2.2)
	}
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return doubtful
	}
	if s.trailers {
		return fine
	}
	// Of names with a space before the colon net/http refuses the request (section 5.1).
	name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
	switch {
	case colon == len("content-length") && equalFold(name, "content-length"):
		return s.contentLength(value)
	case colon == len("transfer-encoding") && equalFold(name, "transfer-encoding"):
		return s.transferEncoding(value)
	case colon == len("upgrade") && equalFold(name, "upgrade"):
		s.wantsUpgrade = true
	}
	return fine
}

// contentLength accepts one field with digits (RFC 9112, section 6.3).
func (s *scanner) contentLength(value []byte) verdict {
	if s.length || s.chunked || s.unknown || len(value) == 0 || len(value) > 18 {
		return doubtful
	}
	s.length, s.left = true, 0
	for _, b := range value {
		if b < '0' || b > '9' {
			return doubtful
		}
		s.left = s.left*10 + uint64(b-'0')
	}
	return fine
}

// transferEncoding accepts one field with "chunked". A coding that nobody here knows is net/http's to answer
// with 501; it closes the connection then.
func (s *scanner) transferEncoding(value []byte) verdict {
	if s.length || s.chunked || s.unknown || s.old {
		return doubtful
	}
	if equalFold(value, "chunked") {
		s.chunked = true
	} else {
		s.unknown = true
	}
	return fine
}

// endOfHead knows how the request goes on.
func (s *scanner) endOfHead() verdict {
	switch {
	case s.unknown:
		s.state = atNothing
	case s.chunked:
		s.state, s.bytes = inSize, 0
	case s.left > 0:
		s.state = inBody
	default:
		s.next()
		if s.wantsUpgrade {
			return upgrade
		}
	}
	return fine
}

// size reads a chunk's size, perhaps with extensions (RFC 9112, section 7.1).
func (s *scanner) size(line []byte) verdict {
	var n uint64
	digits := 0
	for digits < len(line) {
		d, ok := digit(line[digits])
		if !ok {
			break
		}
		n = n<<4 | d
		digits++
	}
	if digits == 0 || digits > 15 {
		return doubtful
	}
	if digits < len(line) && line[digits] != ';' {
		return doubtful // spaces too, which net/http takes at the end and nowhere else
	}
	s.bytes = 0
	if n == 0 {
		s.state, s.trailers = inLine, true
		return fine
	}
	s.state, s.left = inChunk, n
	return fine
}

func digit(b byte) (uint64, bool) {
	switch {
	case b >= '0' && b <= '9':
		return uint64(b - '0'), true
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		return uint64(b|0x20-'a') + 10, true
	default:
		return 0, false
	}
}

// equalFold compares with a word in lower case, letters only by ASCII: no other sign may pass for one.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
