package balancer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// portmap is what an instance listens to and where that leads:
// TYPE://LISTEN:BACKEND[:PORT][{check:/path,port:N}], with commas between.
func (s *Site) portmap(w *Wanted) string {
	backend, check := s.backend(w), ""
	if w.Ports.Status != 0 {
		check = fmt.Sprintf("{check:%s,port:%d}", w.Ready, w.Ports.Status)
	}
	var out []string
	add := func(kind string, listen, port int) {
		out = append(out, fmt.Sprintf("%s://%d:%s:%d%s", kind, listen, backend, port, check))
	}
	plain := "http"
	if w.Mode == "tcp" {
		plain = "tcp"
	}
	if w.Ports.HTTP != 0 {
		add(plain, listenHTTP, w.Ports.HTTP)
	}
	switch {
	case len(w.Certificates) > 0 && w.Ports.HTTP != 0: // TLS ends at the load balancer
		add("https-http", listenHTTPS, w.Ports.HTTP)
	case w.Ports.HTTPS != 0: // TLS ends at the gateway
		add("tcp", listenHTTPS, w.Ports.HTTPS)
	}
	return strings.Join(out, ",")
}

// portmapItem is one entry (triton-moirai 4d571126). What does not fit is dropped there without a word.
var portmapItem = regexp.MustCompile(`^(http|https|https\+insecure|https-http|tcp)://([0-9]{1,5}):([a-z0-9][a-z0-9.-]*)(:([0-9]{1,5}))?(\{[a-z0-9:/,._-]+\})?$`)

// checkPortmap tells whether the instance will take every entry.
func checkPortmap(text string) error {
	if text == "" {
		return fmt.Errorf("the gateway publishes no port")
	}
	depth, from := 0, 0
	var items []string
	for i, c := range text + "," {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		case ',':
			if depth == 0 {
				items, from = append(items, text[from:i]), i+1
			}
		}
	}
	for _, item := range items {
		m := portmapItem.FindStringSubmatch(item)
		if m == nil {
			return fmt.Errorf("the load balancer would drop the entry %q", item)
		}
		for _, port := range []string{m[2], m[5]} {
			if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65534) {
				return fmt.Errorf("the load balancer would drop the entry %q: its ports are 1 to 65534", item)
			}
		}
	}
	return nil
}

// metadata is that of an instance. What an earlier version of it had and this one has not is removed.
func (s *Site) metadata(w *Wanted) map[string]string {
	out := map[string]string{metaOn: "true", metaPortmap: s.portmap(w), metaMax: strconv.Itoa(w.MaxBackends)}
	if len(w.Certificates) > 0 {
		out[metaCertificate] = strings.Join(w.Certificates, ",")
	}
	return out
}
