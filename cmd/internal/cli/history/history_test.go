package history_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/cmd/internal/cli/history"
	"egk8s.dev/egk8s/deployer"
	"egk8s.dev/egk8s/deployer/release"
)

func TestText(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	h := &deployer.HistoryResult{Name: "shop", Revisions: []deployer.Revision{
		{Revision: 3, Status: release.Failed, Updated: now.Add(-time.Minute), Description: "Pod/shop-1: it crashes", By: "egk8s 1.0", Image: "gateway:2", ConfigDigest: "0123456789abcdef"},
		{Revision: 2, Status: release.Deployed, Current: true, Updated: now.Add(-2 * time.Hour), Description: "deployed", By: "egk8s 1.0", Image: "gateway:1", ConfigDigest: "fedcba9876543210"},
		{Revision: 1, Status: release.Superseded, Updated: now.Add(-72 * time.Hour), Description: "Install complete", By: "helm", Missing: []string{"ConfigMap/shop-config-1"}},
	}}
	tests := map[string]struct {
		look history.Look
		want string
	}{
		"table": {history.Look{Now: now}, `
REVISION   STATUS       AGE   CONFIG       DESCRIPTION
3          failed       1m    0123456789   Pod/shop-1: it crashes
2 *        deployed     2h    fedcba9876   deployed
1          superseded   3d    -            Install complete; cannot come back: ConfigMap/shop-config-1 is gone
`},
		"wide": {history.Look{Now: now, Output: "wide"}, `
REVISION   STATUS       AGE   CONFIG       IMAGE       BY          DESCRIPTION
3          failed       1m    0123456789   gateway:2   egk8s 1.0   Pod/shop-1: it crashes
2 *        deployed     2h    fedcba9876   gateway:1   egk8s 1.0   deployed
1          superseded   3d    -            -           helm        Install complete; cannot come back: ConfigMap/shop-config-1 is gone
`},
		"name": {history.Look{Output: "name"}, "\n3\n2\n1\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, "\n"+history.Text(h, test.look)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
