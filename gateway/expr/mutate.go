package expr

import (
	"cmp"
	"math"
	"net/http"
	"strings"

	"egk8s.dev/egk8s/gateway/message"
)

// What expressions may change, for the compiled form and for scripts alike.

// statusMember keeps what a script set as res.statusCode: it is only sent when the script answers itself.
const statusMember = "\x00status"

// setURL sets req.url. A target that could end its line, or that is empty, becomes one that cannot.
func setURL(r *message.Request, url string) {
	url = strings.Map(func(c rune) rune {
		if c <= ' ' || c == 0x7f {
			return -1
		}
		return c
	}, url)
	r.URL = cmp.Or(url, "/")
}

// setMethod sets req.method when it is a token (RFC 9110, section 9.1).
func setMethod(r *message.Request, method string) {
	if validFieldName(method) {
		r.Method = method
	}
}

// setHeader sets a field of req.headers; without lines it is removed.
func setHeader(x *message.Exchange, name string, lines []string) {
	r := &x.Request
	switch {
	case strings.EqualFold(name, "host"):
		if len(lines) > 0 {
			r.Host = oneLine(lines[0])
		}
	case !validFieldName(name):
	case len(lines) == 0:
		r.Header.Del(name)
	default:
		r.Header.Set(name, oneLine(lines[0]))
		for _, line := range lines[1:] {
			r.Header.Add(name, oneLine(line))
		}
	}
}

// setResponseHeader is res.setHeader.
func setResponseHeader(x *message.Exchange, name string, lines []string) {
	h := x.Response.Header
	h.Del(name)
	for _, line := range lines {
		h.Add(name, oneLine(line))
	}
}

// setStatus sets res.statusCode.
func setStatus(x *message.Exchange, status float64) {
	if status >= 200 && status <= 999 && status == math.Trunc(status) {
		setMember(x, resMembers, statusMember, status)
	}
}

// responseStatus is res.statusCode. EG (node): it begins with 200.
func responseStatus(x *message.Exchange) int {
	own, _ := ownMembers(x, resMembers)[statusMember].(float64)
	return cmp.Or(x.Response.Status(), int(own), 200)
}

func statusText(status int) string { return cmp.Or(http.StatusText(status), itoa(status)) }

// mediaType is what Express makes of res.type(name).
func mediaType(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	switch strings.TrimPrefix(name, ".") {
	case "json":
		return "application/json; charset=utf-8"
	case "html":
		return "text/html; charset=utf-8"
	case "txt", "text":
		return "text/plain; charset=utf-8"
	case "xml":
		return "application/xml"
	default:
		return "application/octet-stream"
	}
}

// oneLine keeps a value from ending its header field.
func oneLine(s string) string {
	if strings.ContainsAny(s, "\r\n\x00") {
		return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
	}
	return s
}

// validFieldName tells whether a name is a token (RFC 9110, section 5.6.2).
func validFieldName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return name != ""
}
