package server

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// entry is what the access log says about one request.
//
// The query is left out: keys and tokens stand there.
type entry struct {
	at, end                      time.Time
	id, method, host, target     string
	status                       int
	broken                       bool // the answer is not whole
	bytes                        int64
	client                       netip.Addr
	pipeline, endpoint, upstream string
}

// lineFormat appends one line.
type lineFormat func(to []byte, c *clock, e *entry) []byte

// clock writes times and remembers the text of the last second.
type clock struct {
	second int64
	text   [len("2006-01-02T15:04:05")]byte
}

// append writes t as RFC 3339 in UTC with milliseconds.
func (c *clock) append(to []byte, t time.Time) []byte {
	if second := t.Unix(); second != c.second {
		t.UTC().AppendFormat(c.text[:0], "2006-01-02T15:04:05")
		c.second = second
	}
	to = append(to, c.text[:]...)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(to, '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z') //nolint:gosec // digits
}

// jsonLine is the form in a pod. Its keys are always there and in this order.
func jsonLine(to []byte, c *clock, e *entry) []byte {
	to = append(to, `{"time":"`...)
	to = c.append(to, e.end)
	if e.status >= 500 || e.broken {
		to = append(to, `","level":"ERROR","msg":"request","request_id":"`...)
	} else {
		to = append(to, `","level":"INFO","msg":"request","request_id":"`...)
	}
	to = appendEscaped(to, e.id)
	to = append(to, `","method":"`...)
	to = appendEscaped(to, e.method)
	to = append(to, `","host":"`...)
	to = appendEscaped(to, e.host)
	to = append(to, `","path":"`...)
	to = appendEscaped(to, path(e.target))
	to = append(to, `","status":`...)
	to = strconv.AppendInt(to, int64(e.status), 10)
	to = append(to, `,"duration_ms":`...)
	to = appendMillis(to, e.end.Sub(e.at))
	to = append(to, `,"bytes":`...)
	to = strconv.AppendInt(to, e.bytes, 10)
	to = append(to, `,"client":"`...)
	to = appendAddr(to, e.client)
	to = append(to, `","pipeline":"`...)
	to = appendEscaped(to, e.pipeline)
	to = append(to, `","endpoint":"`...)
	to = appendEscaped(to, e.endpoint)
	to = append(to, `","upstream":"`...)
	to = appendEscaped(to, e.upstream)
	if e.broken {
		return append(to, `","broken":true}`+"\n"...)
	}
	return append(to, `"}`+"\n"...)
}

// textLine is the form for people, in the frame of Express Gateway's log.
func textLine(to []byte, c *clock, e *entry) []byte {
	to = c.append(to, e.end)
	level := " [EG:access] info: "
	if e.status >= 500 || e.broken {
		level = " [EG:access] error: "
	}
	to = append(to, level...)
	to = appendEscaped(to, e.method)
	to = append(to, ' ')
	to = appendEscaped(to, path(e.target))
	to = append(to, ' ')
	to = strconv.AppendInt(to, int64(e.status), 10)
	to = append(to, ' ')
	to = appendMillis(to, e.end.Sub(e.at))
	to = append(to, "ms "...)
	to = strconv.AppendInt(to, e.bytes, 10)
	to = append(to, "B client="...)
	to = appendAddr(to, e.client)
	for _, field := range [...]struct{ name, value string }{
		{" host=", e.host},
		{" endpoint=", e.endpoint},
		{" pipeline=", e.pipeline},
		{" upstream=", e.upstream},
		{" request_id=", e.id},
	} {
		if field.value != "" {
			to = append(to, field.name...)
			to = appendEscaped(to, field.value)
		}
	}
	if e.broken {
		to = append(to, " broken=true"...)
	}
	return append(to, '\n')
}

// path returns a target without its query.
func path(target string) string {
	before, _, _ := strings.Cut(target, "?")
	return before
}

// appendMillis writes a duration in milliseconds with three decimals.
func appendMillis(to []byte, d time.Duration) []byte {
	us := max(0, d.Microseconds())
	to = strconv.AppendInt(to, us/1000, 10)
	rest := us % 1000
	return append(to, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
}

func appendAddr(to []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return to
	}
	return a.Unmap().WithZone("").AppendTo(to)
}

// appendEscaped writes s as the inside of a JSON string: what a client sent can neither end the string nor the line.
func appendEscaped(to []byte, s string) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= utf8.RuneSelf {
			if r, size := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError && r != '\u2028' && r != '\u2029' {
				i += size
				continue
			}
		} else if b >= ' ' && b != '"' && b != '\\' && b != math.MaxInt8 {
			i++
			continue
		}
		to = append(to, s[from:i]...)
		switch {
		case b == '"' || b == '\\':
			to = append(to, '\\', b)
		case b < utf8.RuneSelf:
			to = append(to, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		default:
			to = append(to, `\ufffd`...)
		}
		i++
		from = i
	}
	return append(to, s[from:]...)
}
