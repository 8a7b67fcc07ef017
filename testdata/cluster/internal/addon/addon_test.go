package addon_test

import (
	"strings"
	"testing"

	"egk8s.dev/egk8s/testdata/cluster/internal/addon"
	"egk8s.dev/egk8s/testdata/cluster/internal/kube"
)

func TestManifestsDecode(t *testing.T) {
	t.Parallel()
	values := addon.Values{Registry: "localhost:1", RegistryInside: "10.0.0.1:5000", DNS: "10.100.128.10", CoreDNS: "dns:1"}
	for name, want := range map[string]int{addon.Access: 1, addon.Registry: 3, addon.DNS: 6} {
		text, err := addon.Render(name, values)
		if err != nil {
			t.Fatal(err)
		}
		objects, err := kube.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if len(objects) != want {
			t.Errorf("%s: %d objects, want %d", name, len(objects), want)
		}
	}
}

func TestRegistryWithoutNodes(t *testing.T) {
	t.Parallel()
	text, err := addon.Render(addon.Registry, addon.Values{Registry: "localhost:1"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `host: "localhost:1"`) || strings.Contains(string(text), "hostFromContainerRuntime") {
		t.Errorf("got %s", text)
	}
}

func TestUnknownManifest(t *testing.T) {
	t.Parallel()
	if _, err := addon.Render("nothing", addon.Values{}); err == nil {
		t.Error("no error")
	}
}
