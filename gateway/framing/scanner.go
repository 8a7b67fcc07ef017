// Package framing refuses HTTP/1 requests whose end two readers could see in different places.
//
// net/http takes some of them: a Content-Length beside a Transfer-Encoding, folded lines, lines that end
// in a bare LF. It cleans them up, but by then a handler cannot tell any more. This package reads the
// same bytes in front of net/http, follows where each request ends, and lets nothing doubtful through.
package framing

import (
	"bytes"
)

// Limits bound a request's head; 0: no bound.
type Limits struct {
	// Target counts the bytes of the request target. It must be smaller than HeadBytes.
	Target int
	// HeadBytes counts request line and fields with their line ends.
	HeadBytes int
	// Fields counts the lines of fields.
	Fields int
}

// verdict is what the scanner thinks of the bytes so far.
type verdict int

const (
	fine     verdict = iota
	doubtful         // no server should answer this but with 400
	tooLong          // a request line beyond the limit
	tooLarge         // a head beyond the limits
	upgrade          // a head that asks for another protocol has ended: what follows may be that protocol
	foreign          // the preface of HTTP/2: nothing of the connection is HTTP/1
)

// state is where in the stream of requests the scanner is.
type state int

const (
	atStart   state = iota // of a connection or behind a request: empty lines are skipped
	inLine                 // of a head or of trailers
	inBody                 // left bytes to go
	inSize                 // the line with a chunk's size
	inChunk                // left bytes to go
	behind                 // the line end behind a chunk's data
	atNothing              // nothing may follow: net/http will close the connection
)

// scanner follows a stream of requests. The zero value with limits is ready for a connection's first byte.
type scanner struct {
	limits Limits
	state  state
	// line holds the beginning of a line that came in parts. A whole line is looked at where it is.
	line  []byte
	left  uint64
	bytes int // of the head
	count int // of its lines; the first is the request line

	later, old               bool // a request came before this one; it is HTTP/1.0
	length, chunked, unknown bool // the head has such a field
	wantsUpgrade             bool
	trailers                 bool // the lines are those behind a chunked body
}

const (
	maxLine    = 8 << 10 // of chunk sizes and trailers; for heads HeadBytes counts
	maxBlank   = 8       // bytes of empty lines in front of a request
	maxTrailer = 64 << 10
	maxMethod  = 64 // bytes of a request line that are not its target
)

// scan looks at p and returns how many of its bytes may be passed on. With doubtful and tooLarge nothing
// behind them may; with upgrade and foreign what follows them is not scanned yet.
func (s *scanner) scan(p []byte) (int, verdict) {
	at := 0
	for at < len(p) {
		n, v := s.step(p[at:])
		at += n
		if v != fine {
			return at, v
		}
	}
	return at, fine
}

// step takes at least one byte, or objects.
func (s *scanner) step(p []byte) (int, verdict) {
	switch s.state {
	case atStart:
		return s.start(p)
	case inBody, inChunk:
		return s.skip(p)
	case inLine, inSize, behind:
		return s.text(p)
	case atNothing:
		return 0, doubtful
	}
	return 0, doubtful
}

// start skips empty lines in front of a request (RFC 9112, section 2.2).
func (s *scanner) start(p []byte) (int, verdict) {
	if p[0] == '\r' || p[0] == '\n' {
		s.bytes++
		if s.bytes > maxBlank {
			return 0, doubtful
		}
		return 1, fine
	}
	s.state = inLine
	s.bytes, s.count = 0, 0
	s.old, s.length, s.chunked, s.unknown, s.wantsUpgrade, s.trailers = false, false, false, false, false, false
	return s.text(p)
}

// skip passes over a body or a chunk's data.
func (s *scanner) skip(p []byte) (int, verdict) {
	n := uint64(len(p))
	if n < s.left {
		s.left -= n
		return len(p), fine
	}
	n = s.left
	s.left = 0
	if s.state == inChunk {
		s.state = behind
	} else {
		s.next()
	}
	return int(n), fine //nolint:gosec // at most len(p)
}

// next is behind a request.
func (s *scanner) next() {
	s.state, s.bytes = atStart, 0
	s.later = true
}

// text collects a line and judges it at its end.
func (s *scanner) text(p []byte) (int, verdict) {
	end := bytes.IndexByte(p, '\n')
	if end < 0 {
		if v := s.grow(len(p)); v != fine {
			return 0, v
		}
		s.line = append(s.line, p...)
		return len(p), fine
	}
	if v := s.grow(end + 1); v != fine {
		return 0, v
	}
	line := p[:end]
	if len(s.line) > 0 {
		s.line = append(s.line, line...)
		line = s.line
	}
	if len(line) == 0 || line[len(line)-1] != '\r' {
		return 0, doubtful // a bare LF
	}
	line = line[:len(line)-1]
	if !s.inHead() && (bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0) {
		return 0, doubtful // in heads net/http refuses them, and not behind bodies
	}
	v := s.whole(line)
	s.line = s.line[:0]
	if v == doubtful || v == tooLarge {
		return 0, v
	}
	return end + 1, v
}

// inHead tells whether net/http is reading a head now, not a body.
func (s *scanner) inHead() bool {
	return s.state == atStart || s.state == inLine && !s.trailers
}

// grow counts n more bytes of lines.
func (s *scanner) grow(n int) verdict {
	s.bytes += n
	switch {
	case s.state == inLine && !s.trailers:
		if s.count == 0 && s.limits.Target > 0 && s.bytes > s.limits.Target+maxMethod {
			return tooLong
		}
		if s.limits.HeadBytes > 0 && s.bytes > s.limits.HeadBytes {
			return tooLarge
		}
	case s.bytes > maxTrailer || s.state != inLine && len(s.line)+n > maxLine:
		return doubtful
	}
	return fine
}

// whole judges a line without its end.
func (s *scanner) whole(line []byte) verdict {
	switch s.state {
	case inSize:
		return s.size(line)
	case behind:
		if len(line) > 0 {
			return doubtful
		}
		s.state, s.bytes = inSize, 0
		return fine
	case atStart, inLine, inBody, inChunk, atNothing:
	}
	s.count++
	switch {
	case len(line) == 0 && s.trailers:
		s.next()
		return fine
	case len(line) == 0:
		return s.endOfHead()
	case s.count == 1 && !s.trailers:
		return s.requestLine(line)
	case s.limits.Fields > 0 && s.count-1 > s.limits.Fields && !s.trailers:
		return tooLarge
	default:
		return s.field(line)
	}
}
