package cluster

import (
	"encoding/json"
	"net/http"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"egk8s.dev/egk8s/deployer/object"
)

// changing is an API server on which an object changes at the moment of its first deletion.
type changing struct{ deletions int }

func (c *changing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodDelete {
		refuse(w, http.StatusNotFound, "NotFound")
		return
	}
	c.deletions++
	if c.deletions == 1 {
		refuse(w, http.StatusConflict, "Conflict")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Success"})
}

// TestDeleteMeetsChange: an object that changes at the same moment is deleted all the same, but not another one of
// its name.
func TestDeleteMeetsChange(t *testing.T) {
	t.Parallel()
	for uid, want := range map[types.UID]int{"": 2, "u1": 1} {
		s := &changing{}
		err := connectTo(t, s).Delete(t.Context(), object.Ref{Version: "v1", Kind: "Pod", Namespace: "n", Name: "p"}, uid)
		if s.deletions != want || IsConflict(err) != (want == 1) {
			t.Errorf("uid %q: %d deletions, %v", uid, s.deletions, err)
		}
	}
}
