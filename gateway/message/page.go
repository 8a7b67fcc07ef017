package message

import (
	"html"
	"strings"
)

// NotFound sends the 404 of a request that no endpoint answered.
// EG: the error page of Express, "Cannot GET /x".
func (x *Exchange) NotFound() {
	path, _, _ := strings.Cut(x.Request.OriginalURL, "?")
	x.page(404, "Cannot "+x.Request.Method+" "+path)
}

// ErrorPage sends status with the error page of Express; text stands in its middle.
func (x *Exchange) ErrorPage(status int, text string) { x.page(status, text) }

func (x *Exchange) page(status int, text string) {
	x.Response.Header.Set("Content-Security-Policy", "default-src 'none'")
	x.Response.Header.Set("X-Content-Type-Options", "nosniff")
	x.Response.SendHTML(status, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"+
		"<title>Error</title>\n</head>\n<body>\n<pre>"+html.EscapeString(text)+"</pre>\n</body>\n</html>\n")
}
