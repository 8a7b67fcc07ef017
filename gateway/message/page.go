package message

import (
	"fmt"
	"html"
	"strings"
)

// NotFound sends the 404 of a request that no endpoint answered.
// EG: the error page of Express, "Cannot GET /x".
func (x *Exchange) NotFound() {
	path, _, _ := strings.Cut(x.Request.OriginalURL, "?")
	x.page(404, "Cannot "+x.Request.Method+" "+encoded(path))
}

// encoded is a path with everything escaped that cannot stand in one, and what is escaped left as it is.
// EG: encodeurl 2.0.
func encoded(path string) string {
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		switch {
		case c == '%' && !isEscape(path[i:]), c <= ' ', c > '~', strings.IndexByte("\"<>`{}", c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isEscape tells whether s begins with a percent escape.
func isEscape(s string) bool {
	return len(s) >= 3 && strings.Trim(s[1:3], "0123456789abcdefABCDEF") == ""
}

// ErrorPage sends status with the error page of Express; text stands in its middle.
func (x *Exchange) ErrorPage(status int, text string) { x.page(status, text) }

func (x *Exchange) page(status int, text string) {
	x.Response.Header.Set("Content-Security-Policy", "default-src 'none'")
	x.Response.Header.Set("X-Content-Type-Options", "nosniff")
	x.Response.SendHTML(status, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"+
		"<title>Error</title>\n</head>\n<body>\n<pre>"+html.EscapeString(text)+"</pre>\n</body>\n</html>\n")
}
