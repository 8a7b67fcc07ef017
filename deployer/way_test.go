package deployer

import (
	"testing"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/project"
)

// TestForWay: each way in has the Services that it needs.
func TestForWay(t *testing.T) {
	t.Parallel()
	profiles, problems := cloud.Builtin()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	profile, err := profiles.Get("triton")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		spec    project.Triton
		service string
		status  string
		reach   cloud.Reach
	}{
		"nothing said":         {project.Triton{}, "NodePort", "", cloud.NodePort},
		"package named":        {project.Triton{Package: "g1.micro"}, "NodePort", "NodePort", cloud.NodePort},
		"names, and a package": {project.Triton{Way: project.WayNames, Package: "g1.micro"}, "NodePort", "", cloud.NodePort},
		"controller":           {project.Triton{Way: project.WayServiceLB}, "LoadBalancer", "", cloud.LoadBalancer},
		"node ports":           {project.Triton{Way: project.WayNodePort}, "NodePort", "", cloud.NodePort},
	}
	for name, tt := range tests {
		p := forWay(profile, offlineWay(tt.spec))
		if p.Service.Type != tt.service || p.Reach != tt.reach || p.StatusService.Enabled != (tt.status != "") || p.StatusService.Type != tt.status {
			t.Errorf("%s: %+v %+v %s", name, p.Service, p.StatusService, p.Reach)
		}
	}
	if profile.Service.Type != "NodePort" || profile.StatusService.Enabled {
		t.Error("the profile itself was changed")
	}
	generic, err := profiles.Get(cloud.Generic)
	if err != nil {
		t.Fatal(err)
	}
	if got := forWay(generic, project.WayCLB); got.StatusService.Enabled {
		t.Error("another cloud than Triton")
	}
}

// TestTraffic: the nodes that take traffic.
func TestTraffic(t *testing.T) {
	t.Parallel()
	control := cloud.Node{Name: "c", Labels: map[string]string{"node-role.kubernetes.io/control-plane": ""}}
	excluded := cloud.Node{Name: "x", Labels: map[string]string{"node.kubernetes.io/exclude-from-external-load-balancers": "true"}}
	worker := cloud.Node{Name: "w", ProviderID: "triton:///dc/id", Addresses: []string{"10.0.0.1"}}
	if got := traffic([]cloud.Node{control, excluded, worker}); len(got) != 1 || got[0].Name != "w" || got[0].Addresses[0] != "10.0.0.1" {
		t.Errorf("%+v", got)
	}
	if got := traffic([]cloud.Node{control}); len(got) != 1 {
		t.Errorf("a cluster of one: %+v", got)
	}
}
