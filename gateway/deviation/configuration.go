package deviation

const configurationIntro = `Every file that Express Gateway loads is loaded, and every file that it refuses is refused; a refusal names file, line and
column, and all problems come at once. What differs:`

func configuration() []Deviation {
	return []Deviation{
		{
			ID:    "yaml-tab",
			There: "a tab as indentation makes the line a key of the map outside",
			Here:  "refused",
		},
		{
			ID:    "yaml-complex-key",
			There: "a list or map as a key, a second key behind a quoted value on one line",
			Here:  "refused",
		},
		{
			ID:    "yaml-date",
			There: "an unquoted date such as `2020-01-01` is no text, and is refused where a text must stand",
			Here:  "it is text",
		},
		{
			ID:    "refused-at-load",
			There: "`http.port: 1.5` or `99999`, `https.tls` without key or cert, `json-schema` without `$id` load and fail later",
			Here:  "refused when loading",
		},
		{
			ID:    "urls-empty",
			There: "`urls: []` starts; every request to it is a 500",
			Here:  "refused",
		},
		{
			ID:    "regexp-lookaround",
			There: "regular expressions (`pathRegex`, `hostRegex`, `pathMatch`…) may look ahead, behind and back, and may take for ever",
			Here:  "such ones are refused when loading: they have no bound on their cost; the others run in linear time",
		},
		{
			ID:    "glob-negation",
			There: "`!(…)` in a `hostMatch` or TLS name",
			Here:  "refused when loading",
		},
		{
			ID:    "plugins",
			There: "policies of plugins run when the plugin is installed",
			Here:  "refused by name; `rewrite` and its conditions are known without the plugin",
		},
		{
			ID:    "warnings",
			There: "misspelt keys, keys that are not read, endpoints without a pipeline, variables that are not set: silence, or a line in the log",
			Here:  "the same behaviour, and a warning with its place",
		},
	}
}
