package cloud_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"egk8s.dev/egk8s/deployer/cloud"
)

const fileHead = "apiVersion: egk8s.dev/v1alpha1\nkind: CloudProfile\nmetadata: {name: lab}\n"

// TestMistakes: every mistake in a user's profile is reported with its file, line and column.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const head = fileHead + "spec:\n  layer: both\n  extends: generic\n"
	tests := map[string]struct{ text, want string }{
		"syntax":            {head + "  title: [a\n", `my/lab.yaml:7:`},
		"unknown key":       {head + "  servce: {type: NodePort}\n", `my/lab.yaml:7:3: unknown key "servce" (did you mean "service"?)`},
		"key twice":         {head + "  title: a\n  title: b\n", `my/lab.yaml:8:3: `},
		"wrong type":        {head + "  detect: {context: a}\n", `my/lab.yaml:7:11: spec.detect must be a list`},
		"unknown word":      {head + "  image: {delivery: carrier-pigeon}\n", `my/lab.yaml:7:21: image.delivery must be one of push, kind-load, none, not "carrier-pigeon"`},
		"no layer":          {fileHead + "spec:\n  extends: generic\n", `my/lab.yaml:5:3: layer is missing: one of base, infrastructure, distribution, both`},
		"unknown layer":     {fileHead + "spec:\n  layer: cloud\n  extends: generic\n", `my/lab.yaml:5:10: layer must be one of`},
		"unknown base":      {fileHead + "spec: {layer: both, extends: nothing}\n", `my/lab.yaml:4:30: there is no profile "nothing" to extend`},
		"circle":            {fileHead + "spec: {layer: both, extends: lab}\n", `my/lab.yaml:4:30: the profiles extend each other in a circle: lab, lab`},
		"kind":              {strings.Replace(head, "CloudProfile", "Profile", 1), `my/lab.yaml:2:7: a cloud profile begins with apiVersion: egk8s.dev/v1alpha1 and kind: CloudProfile`},
		"name":              {strings.Replace(head, "name: lab", "name: labs", 1), `my/lab.yaml:3:18: metadata.name must be lab, as the file`},
		"pattern of a rule": {head + "  detect:\n    - {context: \"(\", weight: 10}\n", `my/lab.yaml:8:7: "(" is not a regular expression`},
		"two facts":         {head + "  detect:\n    - {context: a, server: b, weight: 10}\n", `my/lab.yaml:8:7: a rule names exactly one fact`},
		"no weight":         {head + "  detect:\n    - {context: a}\n", `my/lab.yaml:8:7: a rule needs a weight above 0`},
		"otherwise":         {head + "  detect: [{otherwise: true}]\n", `my/lab.yaml:7:12: otherwise is for variants`},
		"base found":        {fileHead + "spec:\n  layer: base\n  extends: generic\n  detect: [{context: a, weight: 60}]\n", `my/lab.yaml:7:11: a profile of layer base is never found by facts`},
		"pattern of a hint": {head + "  hints:\n    - {match: \"[\", say: b}\n", `my/lab.yaml:8:15: "[" is not a regular expression`},
		"class":             {head + "  service: {loadBalancerClass: a}\n", `my/lab.yaml:7:32: service.loadBalancerClass needs service.type LoadBalancer, not ClusterIP`},
		"policy":            {head + "  service: {externalTrafficPolicy: Local}\n", `my/lab.yaml:7:36: service.externalTrafficPolicy needs`},
		"reach":             {head + "  reach: load-balancer\n", `my/lab.yaml:7:10: reach load-balancer does not fit service.type ClusterIP`},
		"key of a variant":  {head + "  variants: {big: {layer: both}}\n", `my/lab.yaml:7:27: layer belongs to the profile, not to a variant`},
		"word of a variant": {head + "  variants: {big: {service: {type: Ingress}}}\n", `my/lab.yaml:7:36: service.type must be one of ClusterIP, NodePort, LoadBalancer, not "Ingress"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := cloud.Builtin(cloud.Folder{FS: fstest.MapFS{"lab.yaml": {Data: []byte(tt.text)}}, Path: "my"})
			if len(problems) == 0 || !strings.Contains(problems.Error(), tt.want) {
				t.Errorf("missing %q in\n%v", tt.want, problems)
			}
		})
	}
}

// TestCircle: profiles that extend each other are reported and never followed without end.
func TestCircle(t *testing.T) {
	t.Parallel()
	text := func(name, base string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(strings.Replace(fileHead, "lab", name, 1) + "spec: {layer: both, extends: " + base + "}\n")}
	}
	_, problems := cloud.Load(cloud.Folder{FS: fstest.MapFS{"a.yaml": text("a", "b"), "b.yaml": text("b", "a")}})
	if !strings.Contains(problems.Error(), "in a circle: a, b, a") {
		t.Error(problems)
	}
}

// TestInvented: a cloud that nobody heard of is one file; a file of a known name may extend the known one.
func TestInvented(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{
		"lab.yaml": {Data: []byte(fileHead + `spec:
  layer: both
  title: the laboratory's cluster
  extends: generic
  detect: [{server: '\.lab\.example:6443$', weight: 100}]
  service:
    type: LoadBalancer
    loadBalancerClass: lab.example/lb
    annotations: {lab.example/pool: public}
  reach: load-balancer
  variants:
    quiet: {service: {annotations: {lab.example/pool: null}}}
`)},
		"gke.yaml": {Data: []byte(strings.Replace(fileHead, "lab", "gke", 1) +
			"spec: {layer: both, extends: gke, service: {annotations: {cloud.google.com/network-tier: Standard}}}\n")},
	}
	profiles, problems := cloud.Builtin(cloud.Folder{FS: folder, Path: "my"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	res, err := profiles.Resolve("", cloud.Facts{Server: "https://api.lab.example:6443"})
	if err != nil || res.Label() != "lab" || res.Profile.Service.Annotations["lab.example/pool"] != "public" || res.Profile.Image.PullPolicy != "IfNotPresent" {
		t.Errorf("%+v %v", res, err)
	}
	res, err = profiles.Resolve("lab/quiet", cloud.Facts{})
	if err != nil || len(res.Profile.Service.Annotations) != 0 || res.Profile.Service.LoadBalancerClass != "lab.example/lb" {
		t.Errorf("null removes: %+v %v", res.Profile.Service, err)
	}
	res, err = profiles.Resolve("gke/internal", cloud.Facts{})
	want := cloud.Service{
		Type: "LoadBalancer", LoadBalancerClass: "networking.gke.io/l4-regional-internal", ExternalTrafficPolicy: "Cluster",
		Annotations: map[string]string{"cloud.google.com/network-tier": "Standard"},
	}
	if diff := cmpDiff(want, res.Profile.Service); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}
