package render_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/deployer/cloud"
	"egk8s.dev/egk8s/deployer/render"
)

const (
	aws   = "service.beta.kubernetes.io/aws-load-balancer-"
	azure = "service.beta.kubernetes.io/azure-load-balancer-"
	do    = "service.beta.kubernetes.io/do-loadbalancer-"
)

// surface is what a cloud sees of the gateway.
type surface struct {
	Delivery    cloud.Delivery
	Type, Class string
	Policy      string // externalTrafficPolicy
	Annotations map[string]string
}

func awsSurface(scheme, class string, more map[string]string) surface {
	annotations := map[string]string{
		aws + "scheme": scheme, aws + "nlb-target-type": "ip",
		aws + "healthcheck-protocol": "http", aws + "healthcheck-path": "/egk8s/ready", aws + "healthcheck-port": "9877",
		aws + "target-group-attributes": "deregistration_delay.timeout_seconds=30,preserve_client_ip.enabled=true",
	}
	maps.Copy(annotations, more)
	return surface{Delivery: cloud.Push, Type: "LoadBalancer", Class: class, Policy: "Cluster", Annotations: annotations}
}

// surfaces is what each cloud and variant must show, as the clouds' own documents have it: a written table, not output.
func surfaces() map[string]surface {
	clusterIP := surface{Delivery: cloud.Push, Type: "ClusterIP"}
	nodePort := surface{Delivery: cloud.Push, Type: "NodePort", Policy: "Cluster"}
	gke := func(class string) surface {
		return surface{Delivery: cloud.Push, Type: "LoadBalancer", Class: "networking.gke.io/" + class, Policy: "Cluster"}
	}
	azureSurface := func(internal string) surface {
		return surface{Delivery: cloud.Push, Type: "LoadBalancer", Policy: "Cluster", Annotations: map[string]string{
			azure + "internal": internal, azure + "health-probe-protocol": "tcp", azure + "tcp-idle-timeout": "30",
		}}
	}
	doSurface := func(network string) surface {
		return surface{Delivery: cloud.Push, Type: "LoadBalancer", Policy: "Cluster", Annotations: map[string]string{
			do + "type": "REGIONAL_NETWORK", do + "network": network,
		}}
	}
	return map[string]surface{
		"generic": clusterIP, "local": clusterIP, "minikube": clusterIP, "openshift": clusterIP, "k3d": clusterIP,
		"kind":   {Delivery: cloud.KindLoad, Type: "ClusterIP"},
		"triton": nodePort, "triton/k3s": nodePort, "triton/openshift": nodePort, "k3s": nodePort,
		"k3s/servicelb": {Delivery: cloud.Push, Type: "LoadBalancer", Policy: "Cluster"},
		"gke":           gke("l4-regional-external"), "gke/autopilot": gke("l4-regional-external"),
		"gke/internal": gke("l4-regional-internal"), "gke/autopilot/internal": gke("l4-regional-internal"),
		"eks":           awsSurface("internet-facing", "", nil),
		"eks/auto-mode": awsSurface("internet-facing", "eks.amazonaws.com/nlb", nil), "eks/lb-controller": awsSurface("internet-facing", "service.k8s.aws/nlb", nil),
		"eks/lb-controller/internal": awsSurface("internal", "service.k8s.aws/nlb", map[string]string{aws + "internal": "true"}),
		"eks/internal":               awsSurface("internal", "", map[string]string{aws + "internal": "true"}),
		"eks/legacy": {
			Delivery: cloud.Push, Type: "LoadBalancer", Policy: "Cluster",
			Annotations: map[string]string{aws + "type": "nlb", aws + "scheme": "internet-facing"},
		},
		"aks": azureSurface("false"), "aks/internal": azureSurface("true"), "doks": doSurface("EXTERNAL"), "doks/internal": doSurface("INTERNAL"),
	}
}

// TestSurfaces holds both renderers to the table, and the table to the profiles: none may be left out.
func TestSurfaces(t *testing.T) {
	t.Parallel()
	profiles, _ := cloud.Builtin()
	table := surfaces()
	for _, name := range profiles.Names() {
		profile, err := profiles.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range append(withPrefix(name+"/", slices.Sorted(maps.Keys(profile.Variants))), name) {
			if _, ok := table[kind]; !ok {
				t.Errorf("%s is not in the table", kind)
			}
		}
	}
	for name, want := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, generic := inputFor(t, profiles, name)
			r := mustRender(t, in)
			want.check(t, in, find(t, r.Objects, "Service", "shop"))
			checkPods(t, r)
			files, err := render.Kustomize(in, generic)
			if err != nil {
				t.Fatal(err)
			}
			built := kustomizeBuild(t, files, in.Overlay)
			service := map[string]any{}
			if err := yaml.Unmarshal([]byte(built["Service/shop"]), &service); err != nil {
				t.Fatal(err)
			}
			want.check(t, in, service)
			if diff := cmp.Diff(wanted(t, in), built); diff != "" {
				t.Error(diff)
			}
			onlyOverlaysDiffer(t, in, generic, files)
		})
	}
}

func withPrefix(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = prefix + n
	}
	return out
}

func inputFor(t *testing.T, profiles *cloud.Profiles, name string) (render.Input, cloud.Profile) {
	t.Helper()
	in := newTestInput(t, "generic")
	generic := in.Profile
	res, err := profiles.Resolve(name, cloud.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	in.Profile, in.Overlay = res.Profile, strings.ReplaceAll(name, "/", "-")
	return in, generic
}

func (s surface) check(t *testing.T, in render.Input, service map[string]any) {
	t.Helper()
	spec := service["spec"].(map[string]any)
	text := func(key string) string { value, _ := spec[key].(string); return value }
	annotations, _, err := unstructured.NestedStringMap(service, "metadata", "annotations")
	if err != nil {
		t.Fatal(err) // an annotation that is no text makes Kubernetes drop all of them
	}
	got := surface{
		Delivery: in.Profile.Image.Delivery, Type: text("type"), Class: text("loadBalancerClass"),
		Policy: text("externalTrafficPolicy"), Annotations: annotations,
	}
	maps.DeleteFunc(got.Annotations, func(k, _ string) bool { return strings.HasPrefix(k, "meta.helm.sh/") }) // whose it is
	if len(got.Annotations) == 0 {
		got.Annotations = nil
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
	for _, port := range spec["ports"].([]any) {
		p := port.(map[string]any)
		if _, fixed := p["nodePort"]; fixed || p["appProtocol"] != nil {
			t.Errorf("port %v: appProtocol makes some clouds probe /, a fixed nodePort clashes", p)
		}
		if n := p["targetPort"]; n == "status" || n == "admin" || n == "metrics" {
			t.Errorf("port %v is not for the world", p)
		}
	}
}

// checkPods: no cloud gets a user of ours, as OpenShift refuses that, and every one gets requests, as Autopilot asks.
func checkPods(t *testing.T, r *render.Rendered) {
	t.Helper()
	pod := template(t, r).(map[string]any)["spec"].(map[string]any)
	text, err := yaml.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	for _, refused := range []string{"runAsUser", "fsGroup", "hostPort", "hostNetwork", "hostPath", "privileged: true"} {
		if strings.Contains(string(text), refused) {
			t.Errorf("the pods say %s", refused)
		}
	}
	for _, c := range pod["containers"].([]any) {
		resources, _ := c.(map[string]any)["resources"].(map[string]any)
		requests, _ := resources["requests"].(map[string]any)
		if requests["cpu"] == nil || requests["memory"] == nil {
			t.Errorf("requests: %v", requests)
		}
	}
}

// onlyOverlaysDiffer: the base is the same for all clouds.
func onlyOverlaysDiffer(t *testing.T, in render.Input, generic cloud.Profile, files []render.OutFile) {
	t.Helper()
	in.Profile, in.Overlay = generic, "generic"
	plain, err := render.Kustomize(in, generic)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(base(plain), base(files)); diff != "" {
		t.Error(diff)
	}
}

func base(files []render.OutFile) map[string]string {
	out := map[string]string{}
	for _, f := range files {
		if strings.HasPrefix(f.Path, "base/") {
			out[f.Path] = string(f.Data)
		}
	}
	return out
}
