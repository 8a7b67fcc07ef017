package diff_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/diff"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/difference"
	"egk8s.dev/egk8s/deployer/event"
	"egk8s.dev/egk8s/gateway/offline"
)

// TestMarkdown: the comment of a pull request; nothing in a file can close its fence or become mark-up.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := &deployer.DiffResult{
		Name: "shop", Against: "origin/main",
		Objects:  []difference.Object{{Kind: "Deployment", Name: "shop", Action: event.Configured, Fields: []difference.Field{{Path: "spec.replicas", Before: "2", After: "3"}}}},
		Files:    []difference.File{{Path: "gateway.config.yml", Action: event.Configured, Diff: "@@ -1 +1 @@\n-a\n+```\n"}},
		Requests: []offline.Change{{Class: offline.Breaking, Message: "GET /a|b loses key-auth"}, {Class: offline.Safe, Message: "GET /c is <new>"}},
		Warnings: []string{"look out"},
	}
	want := diff.Marker + `
### shop against origin/main

Requests are answered differently:

| | |
|---|---|
| **breaking** | GET /a\|b loses key-auth |
| safe | GET /c is &lt;new&gt; |

<details><summary>1 object differs</summary>

` + "```diff" + `
Deployment/shop
-   spec.replicas: 2
+   spec.replicas: 3
` + "```" + `

</details>

<details><summary>file gateway.config.yml</summary>

` + "````diff" + `
@@ -1 +1 @@
-a
+` + "```" + `
` + "````" + `

</details>

> warning: look out
`
	if d := cmp.Diff(want, diff.Markdown(r)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	none := diff.Marker + "\n### shop against revision 3\n\nNothing differs.\n"
	if d := cmp.Diff(none, diff.Markdown(&deployer.DiffResult{Name: "shop", Against: "revision 3"})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
