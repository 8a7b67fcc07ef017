package config

// order notes the names of the maps inside c in the order in which JavaScript enumerates them, which is
// mostly that of the file, by the path of each map; a map with one name has no order.
func order(c child, path string, into map[string][]string) map[string][]string {
	if _, isMap := c.value.(map[string]any); !isMap {
		return into
	}
	var names []string
	for _, one := range children(c.node, c.value) {
		names = append(names, one.name)
		inner := one.name
		if path != "" {
			inner = path + "." + one.name
		}
		into = order(one, inner, into)
	}
	if path == "" || len(names) < 2 {
		return into
	}
	if into == nil {
		into = map[string][]string{}
	}
	into[path] = names
	return into
}
