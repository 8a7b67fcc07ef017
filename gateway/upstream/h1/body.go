package h1

import (
	"errors"
	"io"
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

// framing is how a body ends.
type framing int

const (
	none framing = iota
	fixed
	chunked
	untilClose
)

// body reads an answer's body from the connection, which it gives back at the end.
type body struct {
	c        *conn // nil: given back
	framing  framing
	left     int64 // bytes of the body, or of the chunk
	begun    bool  // a chunk was read, and its CRLF comes next
	reusable bool
	err      error // what reading ended with
	trailer  message.Header
}

// Read reads the next bytes of the body. A connection that ends too early is ErrTruncated.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.next(p)
	if err != nil {
		b.finish(err)
	}
	return n, err
}

// Close gives the connection back. One whose body was not read to its end is closed.
func (b *body) Close() error {
	if b.err == nil {
		b.finish(errClosed)
	}
	return nil
}

var errClosed = errors.New("read of a closed body")

// finish ends the reading with err.
func (b *body) finish(err error) {
	b.err = err
	c := b.c
	if c == nil {
		return
	}
	b.c = nil
	keep := errors.Is(err, io.EOF) && b.reusable && b.framing != untilClose && c.from == c.to
	c.finish(keep)
}

func (b *body) next(p []byte) (int, error) {
	switch b.framing {
	case fixed:
		return b.part(p)
	case chunked:
		if b.left == 0 {
			if err := b.nextChunk(); err != nil {
				return 0, err
			}
		}
		n, err := b.part(p)
		if !errors.Is(err, io.EOF) { // of the chunk
			return n, err
		}
		return n, b.lastChunk()
	case untilClose:
		return b.c.take(p)
	default:
		return 0, io.EOF
	}
}

// part reads of what is left; the end comes together with the last bytes.
func (b *body) part(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.c.take(p)
	b.left -= int64(n)
	if err != nil {
		return n, truncated(err)
	}
	if b.left == 0 {
		return n, io.EOF
	}
	return n, nil
}

// take reads from the buffer, or past it when it is empty.
func (c *conn) take(p []byte) (int, error) {
	if c.from < c.to {
		n := copy(p, c.in[c.from:c.to])
		c.from += n
		return n, nil
	}
	c.from, c.to = 0, 0
	if len(p) >= len(c.in) {
		return c.read(p)
	}
	if err := c.fill(); err != nil {
		return 0, err
	}
	n := copy(p, c.in[:c.to])
	c.from = n
	return n, nil
}

// maxChunkLine limits a chunk's size with its extensions.
const maxChunkLine = 1 << 10

// nextChunk reads the size of the next chunk; behind the last one it reads the trailer and returns io.EOF.
func (b *body) nextChunk() error {
	if b.begun {
		line, err := b.c.line(2)
		if err != nil {
			return err
		}
		if len(line) > 0 {
			return malformed("a chunk is longer than its size")
		}
	}
	b.begun = true
	line, err := b.c.line(maxChunkLine)
	if err != nil {
		return err
	}
	if b.left, err = parseChunkSize(line); err != nil {
		return err
	}
	if b.left > 0 {
		return nil
	}
	if err := b.readTrailer(); err != nil {
		return err
	}
	return io.EOF
}

// lastChunk returns io.EOF when the end of the body, without a trailer, came together with its last bytes.
func (b *body) lastChunk() error {
	const end = "\r\n0\r\n\r\n"
	c := b.c
	if c.to-c.from < len(end) || string(c.in[c.from:c.from+len(end)]) != end {
		return nil
	}
	c.from += len(end)
	return io.EOF
}

// parseChunkSize parses hexadecimal digits, perhaps with extensions behind a semicolon, which mean nothing.
func parseChunkSize(line []byte) (int64, error) {
	var n int64
	i := 0
	for ; i < len(line); i++ {
		digit := strings.IndexByte("0123456789abcdef", line[i]|0x20)
		if digit < 0 || line[i] < '0' {
			break
		}
		n = n<<4 | int64(digit)
	}
	if i == 0 || i > 15 {
		return 0, malformed("a chunk's size is no number")
	}
	rest := strings.TrimLeft(string(line[i:]), " \t") // some servers pad the number
	if rest != "" && rest[0] != ';' || !isValue(rest) {
		return 0, malformed("a chunk's size is no number")
	}
	return n, nil
}

// readTrailer reads the fields behind the last chunk. Those that say how to read the message, or that
// belong to the connection, mean nothing there (RFC 9110, section 6.5.1).
func (b *body) readTrailer() error {
	left := b.c.pool.options.MaxHead
	for {
		line, err := b.c.line(left)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		if left -= len(line) + 2; left <= 0 {
			return malformed("the trailer is too long")
		}
		f, err := parseField(string(line))
		if err != nil {
			return err
		}
		if omitted(f.name) {
			continue
		}
		if b.trailer.Map() == nil {
			b.trailer = message.NewHeader(4)
		}
		b.trailer.Add(f.name, f.value)
	}
}
