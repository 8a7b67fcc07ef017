package policy

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"egk8s.dev/egk8s/gateway/message"
	"egk8s.dev/egk8s/gateway/upstream"
)

// buffers are what bodies are copied through.
var buffers = sync.Pool{New: func() any { //nolint:gochecknoglobals // a pool is only of use when shared
	b := make([]byte, 32<<10)
	return &b
}}

// proxyOptions are the options of one proxy step, merged and compiled.
type proxyOptions struct {
	stripPath, ignorePath, prependPath bool
	changeOrigin, xfwd                 bool
	follow                             bool
	headers                            []field
	authorization                      string
	timeout                            time.Duration // without a byte from the service; 0: none
	cookies                            []cookieRewrite
	autoRewrite                        bool
	hostRewrite, protocolRewrite       string
}

type field struct{ name, value string }

// mergeOptions lays the layers over each other: action.proxyOptions over the service endpoint's
// proxyOptions over the keys of the action. EG: in that order.
func mergeOptions(action params, service map[string]any) params {
	merged := params{"prependPath": true, "changeOrigin": true, "secure": true}
	maps.Copy(merged, action)
	maps.Copy(merged, service)
	maps.Copy(merged, action.object("proxyOptions"))
	return merged
}

func readOptions(p params) proxyOptions {
	o := proxyOptions{
		stripPath: p.flag("stripPath"), ignorePath: p.flag("ignorePath"), prependPath: p.flag("prependPath"),
		changeOrigin: p.flag("changeOrigin"), xfwd: p.flag("xfwd"), follow: p.flag("followRedirects"),
		autoRewrite: p.flag("autoRewrite"), hostRewrite: p.text("hostRewrite"), protocolRewrite: p.text("protocolRewrite"),
	}
	custom := p.object("headers")
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		o.headers = append(o.headers, field{name: name, value: oneLine(fmt.Sprint(custom[name]))})
	}
	if auth := p.text("auth"); auth != "" {
		o.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(auth))
	}
	for _, name := range []string{"timeout", "proxyTimeout"} {
		if ms, _ := p.number(name); ms > 0 {
			d := time.Duration(ms) * time.Millisecond
			if o.timeout == 0 || d < o.timeout {
				o.timeout = d
			}
		}
	}
	o.cookies = slices.Concat(cookieRewrites("domain", p["cookieDomainRewrite"]), cookieRewrites("path", p["cookiePathRewrite"]))
	return o
}

func connectionOptions(p params, environment string) upstream.Options {
	files := p.object("target")
	o := upstream.Options{
		SkipVerify: !p.flag("secure"), ProxyURL: p.text("proxyUrl"),
		HTTP2:  p.flag("http2"),
		CAFile: files.text("caFile"), CertFile: files.text("certFile"), KeyFile: files.text("keyFile"),
	}
	if o.ProxyURL == "" {
		o.ProxyURL = environment
	}
	return o
}

// cookieRewrite changes one attribute of the cookies that a service sets.
// EG: cookieDomainRewrite and cookiePathRewrite of http-proxy.
type cookieRewrite struct {
	attribute *regexp.Regexp
	values    map[string]string // by old value; "*" for any; an empty new value removes the attribute
}

func cookieRewrites(attribute string, v any) []cookieRewrite {
	values := map[string]string{}
	switch v := v.(type) {
	case string:
		values["*"] = v
	case map[string]any:
		for from, to := range v {
			values[from] = fmt.Sprint(to)
		}
	default:
		return nil
	}
	return []cookieRewrite{{attribute: regexp.MustCompile(`(?i)(;\s*` + attribute + `=)([^;]+)`), values: values}}
}

func (c cookieRewrite) apply(cookie string) string {
	at := c.attribute.FindStringSubmatchIndex(cookie)
	if at == nil {
		return cookie
	}
	value, ok := c.values[cookie[at[4]:at[5]]]
	if !ok {
		if value, ok = c.values["*"]; !ok {
			return cookie
		}
	}
	if value == "" {
		return cookie[:at[0]] + cookie[at[1]:]
	}
	return cookie[:at[4]] + value + cookie[at[5]:]
}

// rewrites tells whether an answer's fields can be the gateway's at once, or are looked at before.
func (o *proxyOptions) rewrites() bool {
	return o.follow || len(o.cookies) > 0 || o.autoRewrite || o.hostRewrite != "" || o.protocolRewrite != ""
}

// rewriteHead changes the fields of the answer that the options name.
// EG: the rewrites of redirects crash the reference; they do here what http-proxy documents.
func (o *proxyOptions) rewriteHead(x *message.Exchange, resp *upstream.Response, host string) {
	if len(o.cookies) > 0 {
		cookies := resp.Header.Values("Set-Cookie")
		for i := range cookies {
			for _, c := range o.cookies {
				cookies[i] = c.apply(cookies[i])
			}
		}
	}
	if !o.autoRewrite && o.hostRewrite == "" && o.protocolRewrite == "" {
		return
	}
	location, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || location.Host != host || !slices.Contains([]int{201, 301, 302, 307, 308}, resp.Status) {
		return
	}
	switch {
	case o.hostRewrite != "":
		location.Host = o.hostRewrite
	case o.autoRewrite:
		location.Host = x.Request.Host
	}
	if o.protocolRewrite != "" {
		location.Scheme = o.protocolRewrite
	}
	resp.Header.Set("Location", location.String())
}

// oneLine keeps a value from ending its header field.
func oneLine(s string) string {
	if strings.ContainsAny(s, "\r\n\x00") {
		return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
	}
	return s
}
