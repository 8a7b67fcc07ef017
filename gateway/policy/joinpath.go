package policy

import "strings"

// joinPath puts a request's path, with its query, behind a service's. Nothing is decoded; several slashes
// in a row become one, but for those of a URL in the path. The result begins with a slash, whatever a policy
// made of the URL.
//
// EG: urlJoin of http-proxy. Clients that put a path behind a base URL with a slash at its end count on it.
func joinPath(base, rest string) string {
	path, query := rest, ""
	if at := strings.IndexByte(rest, '?'); at >= 0 {
		path, query = rest[:at], rest[at:]
	}
	if (base == "" || base == "/") && strings.HasPrefix(path, "/") && !strings.Contains(path, "//") {
		return rest // the usual case takes no memory
	}
	joined := path
	switch {
	case path == "":
		joined = base
	case base != "":
		joined = strings.TrimSuffix(base, "/") + "/" + strings.TrimPrefix(path, "/")
	}
	if !strings.HasPrefix(joined, "/") {
		joined = "/" + joined
	}
	if !strings.Contains(joined, "//") {
		if query == "" {
			return joined
		}
		return joined + query
	}
	return oneSlash(joined) + query
}

func oneSlash(path string) string {
	out := make([]byte, 0, len(path))
	for i := range len(path) {
		if path[i] != '/' || len(out) == 0 || out[len(out)-1] != '/' {
			out = append(out, path[i])
		}
	}
	single := strings.Replace(string(out), "http:/", "http://", 1)
	return strings.Replace(single, "https:/", "https://", 1)
}
