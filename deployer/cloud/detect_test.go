package cloud_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/cloud"
)

func cmpDiff(want, got any) string { return cmp.Diff(want, got) }

func labelled(providerID string, labels ...string) []cloud.Node {
	n := cloud.Node{Name: "n", ProviderID: providerID, Labels: map[string]string{}}
	for _, l := range labels {
		key, value, _ := strings.Cut(l, "=")
		n.Labels[key] = value
	}
	return []cloud.Node{n}
}

// TestVectors are the facts of real clusters and what they are, with the reasons that are printed.
func TestVectors(t *testing.T) {
	t.Parallel()
	profiles := builtin(t)
	eks := "https://ABC.gr7.us-west-2.eks.amazonaws.com"
	tests := map[string]struct {
		facts   cloud.Facts
		want    string
		reasons string
		warning string
	}{
		"gke standard": {
			cloud.Facts{
				Context: "gke_proj_us-central1-a_demo", Server: "https://35.184.236.64", ExecCommand: "gke-gcloud-auth-plugin", GitVersion: "v1.35.2-gke.1842000",
				Nodes: labelled("gce://proj/us-central1-a/gke-demo-1", "cloud.google.com/gke-nodepool=default-pool"), APIGroups: []string{"networking.gke.io"},
			},
			"gke", "version v1.35.2-gke.1842000, node label cloud.google.com/gke-nodepool, context gke_proj_us-central1-a_demo, login by gke-gcloud-auth-plugin, node providerID gce://proj/us-central1-a/gke-demo-1", "",
		},
		"gke autopilot": {
			cloud.Facts{GitVersion: "v1.35.2-gke.1842000", Nodes: []cloud.Node{{Name: "gk3-demo-pool-1-abc"}}, APIGroups: []string{"auto.gke.io"}},
			"gke/autopilot", "version v1.35.2-gke.1842000, node name gk3-demo-pool-1-abc, API group auto.gke.io", "",
		},
		"gke renamed, offline": {cloud.Facts{Context: "prod", ExecCommand: "gke-gcloud-auth-plugin"}, "gke", "login by gke-gcloud-auth-plugin", ""},
		"kubeadm on google's machines, their group": {
			cloud.Facts{Context: "prod", GitVersion: "v1.34.4", Nodes: labelled("gce://proj/us-central1-a/n1"), APIGroups: []string{"networking.gke.io"}},
			"generic", "the evidence is not clear",
			"the cloud could be gke (node providerID gce://proj/us-central1-a/n1), which is not sure enough: using generic; name it with --cloud",
		},
		"eks by arn": {
			cloud.Facts{
				Context: "arn:aws:eks:us-west-2:123456789012:cluster/demo", Server: eks, GitVersion: "v1.34.1-eks-113cf36",
				Nodes: labelled("aws:///us-west-2a/i-1", "eks.amazonaws.com/nodegroup=ng"), APIGroups: []string{"apps"},
			},
			"eks/legacy", "server " + eks + ", version v1.34.1-eks-113cf36, node label eks.amazonaws.com/nodegroup, context arn:aws:eks:us-west-2:123456789012:cluster/demo, node providerID aws:///us-west-2a/i-1, no sign of another kind of eks", "",
		},
		"eks auto mode": {
			cloud.Facts{Server: eks, Nodes: labelled("", "eks.amazonaws.com/compute-type=auto"), APIGroups: []string{"apps", "elbv2.k8s.aws"}},
			"eks/auto-mode", "server " + eks + ", node label eks.amazonaws.com/compute-type, node label eks.amazonaws.com/compute-type=auto", "",
		},
		"eks with the controller": {
			cloud.Facts{Server: eks, APIGroups: []string{"apps", "elbv2.k8s.aws"}},
			"eks/lb-controller", "server " + eks + ", API group elbv2.k8s.aws", "",
		},
		"eksctl, offline": {
			cloud.Facts{Context: "dev@demo.us-west-2.eksctl.io", Server: eks},
			"eks", "server " + eks + ", context dev@demo.us-west-2.eksctl.io",
			"which kind of eks this is cannot be told (no cluster was asked for its API groups): name it, as in --cloud eks/auto-mode",
		},
		"kops on aws": {
			cloud.Facts{Context: "k.example.com", Server: "https://api.k.example.com", GitVersion: "v1.34.4", Nodes: labelled("aws:///us-west-2a/i-1")},
			"generic", "the evidence is not clear",
			"the cloud could be eks (node providerID aws:///us-west-2a/i-1), which is not sure enough: using generic; name it with --cloud",
		},
		"openshift on aws": {
			cloud.Facts{
				Context: "default/api-c-example-com:6443/kube:admin", Server: "https://api.c.example.com:6443", GitVersion: "v1.31.6+9ce5071",
				Nodes: labelled("aws:///us-west-2a/i-1", "node.openshift.io/os_id=rhcos"), APIGroups: []string{"config.openshift.io", "route.openshift.io"},
			},
			"openshift", "API group config.openshift.io, API group route.openshift.io, node label node.openshift.io/os_id, context default/api-c-example-com:6443/kube:admin", "",
		},
		"aks": {
			cloud.Facts{
				Context: "k12s", Server: "https://k12s-dns-6b5afdc5.hcp.westus3.azmk8s.io:443", User: "clusterUser_rg_k12s", GitVersion: "v1.33.2",
				Nodes: labelled("azure:///subscriptions/x", "kubernetes.azure.com/cluster=MC_rg_k12s_westus3"),
			},
			"aks", "server https://k12s-dns-6b5afdc5.hcp.westus3.azmk8s.io:443, node label kubernetes.azure.com/cluster, user clusterUser_rg_k12s, node providerID azure:///subscriptions/x", "",
		},
		"doks": {
			cloud.Facts{
				Context: "do-ams3-test", Server: "https://8a604b66-43ff-4f24-926c-29b158894e10.k8s.ondigitalocean.com", GitVersion: "v1.33.1",
				Nodes: labelled("digitalocean://123", "doks.digitalocean.com/node-id=x"),
			},
			"doks", "server https://8a604b66-43ff-4f24-926c-29b158894e10.k8s.ondigitalocean.com, node label doks.digitalocean.com/node-id, node providerID digitalocean://123, context do-ams3-test", "",
		},
		"kind": {
			cloud.Facts{Context: "kind-dev", Server: "https://127.0.0.1:40123", GitVersion: "v1.36.3", Nodes: labelled("kind://docker/dev/dev-control-plane")},
			"kind", "node providerID kind://docker/dev/dev-control-plane, context kind-dev", "",
		},
		"kind renamed": {
			cloud.Facts{Context: "local", Server: "https://127.0.0.1:40123", Nodes: labelled("kind://docker/dev/dev-control-plane")},
			"kind", "node providerID kind://docker/dev/dev-control-plane", "",
		},
		"k3d": {
			cloud.Facts{
				Context: "k3d-dev", Server: "https://0.0.0.0:6550", GitVersion: "v1.33.2+k3s1",
				Nodes: labelled("k3s://k3d-dev-server-0", "node.kubernetes.io/instance-type=k3s"),
			},
			"k3d", "node providerID k3s://k3d-dev-server-0, context k3d-dev, version v1.33.2+k3s1, node label node.kubernetes.io/instance-type=k3s", "",
		},
		"k3s on metal": {
			cloud.Facts{
				Context: "default", Server: "https://10.0.0.5:6443", GitVersion: "v1.33.2+k3s1",
				Nodes: labelled("k3s://node1", "node.kubernetes.io/instance-type=k3s"),
			},
			"k3s", "version v1.33.2+k3s1, node label node.kubernetes.io/instance-type=k3s, node providerID k3s://node1", "",
		},
		"k3s on triton": {
			cloud.Facts{
				Context: "default", Server: "https://k8s-api.svc.930896af-bf8c-48d4-885c-6573a94b1853.us-central-1.cns.mnx.io:6443", GitVersion: "v1.33.2+k3s1",
				Nodes: labelled("", "node.kubernetes.io/instance-type=k3s"),
			},
			"triton/k3s", "server https://k8s-api.svc.930896af-bf8c-48d4-885c-6573a94b1853.us-central-1.cns.mnx.io:6443, version v1.33.2+k3s1, node label node.kubernetes.io/instance-type=k3s", "",
		},
		"talos on triton": {
			cloud.Facts{Context: "admin@my-cluster", Server: "https://ctrl.svc.travis.earth.cns.capsule.corp:6443", GitVersion: "v1.36.1"},
			"triton", "server https://ctrl.svc.travis.earth.cns.capsule.corp:6443", "",
		},
		"triton with the autoscaler": {
			cloud.Facts{Context: "x", Server: "https://203.0.113.7:6443", Nodes: labelled("triton:///us-central-1/0abe1901-2c6c-42cb-b5f9-e92d1c8d3c8e")},
			"triton", "node providerID triton:///us-central-1/0abe1901-2c6c-42cb-b5f9-e92d1c8d3c8e", "",
		},
		"openshift on triton": {
			cloud.Facts{Nodes: labelled("triton:///us/1"), APIGroups: []string{"config.openshift.io"}},
			"triton/openshift", "node providerID triton:///us/1, API group config.openshift.io", "",
		},
		"minikube": {
			cloud.Facts{Context: "minikube", Server: "https://192.168.49.2:8443", Nodes: labelled("", "minikube.k8s.io/name=minikube")},
			"minikube", "node label minikube.k8s.io/name, context minikube", "",
		},
		"minikube, another name": {
			cloud.Facts{Context: "demo", Server: "https://192.168.49.2:8443", Nodes: labelled("", "minikube.k8s.io/name=demo")},
			"minikube", "node label minikube.k8s.io/name", "",
		},
		"kubeadm": {
			cloud.Facts{Context: "kubernetes-admin@kubernetes", Server: "https://10.0.0.1:6443", GitVersion: "v1.36.3"},
			"generic", "no other profile fits what is known of the cluster", "",
		},
		"gke that is called kind-prod": {
			cloud.Facts{
				Context: "kind-prod", ExecCommand: "gke-gcloud-auth-plugin", GitVersion: "v1.35.2-gke.1842000",
				Nodes: labelled("", "cloud.google.com/gke-nodepool=p"),
			},
			"gke", "version v1.35.2-gke.1842000, node label cloud.google.com/gke-nodepool, login by gke-gcloud-auth-plugin", "",
		},
		"two names of equal weight": {
			cloud.Facts{Context: "kind-x", ExecCommand: "/opt/gke-gcloud-auth-plugin"},
			"generic", "the evidence is not clear",
			"the cloud could be gke (login by gke-gcloud-auth-plugin) or kind (context kind-x), which is not sure enough: using generic; name it with --cloud",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := profiles.Resolve("", tt.facts)
			if err != nil {
				t.Fatal(err)
			}
			if got.Label() != tt.want {
				t.Errorf("%s, want %s", got.Label(), tt.want)
			}
			if diff := cmp.Diff(tt.reasons, strings.Join(got.Reasons, ", ")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.warning, got.Warning); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCombined: on Triton a distribution never takes Triton's ways in away, and brings its own delivery.
func TestCombined(t *testing.T) {
	t.Parallel()
	profiles := builtin(t)
	triton, err := profiles.Resolve("triton", cloud.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	for _, distribution := range []string{"k3s", "openshift", "generic"} {
		got, err := profiles.Resolve("triton/"+distribution, cloud.Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Profile.Name != "triton" || got.Profile.Triton == nil || got.Profile.Reach != cloud.NodePort || got.Profile.Variants != nil {
			t.Errorf("%s: %+v", distribution, got.Profile)
		}
		if diff := cmp.Diff(triton.Profile.Service, got.Profile.Service); diff != "" {
			t.Error(diff)
		}
		if distribution != "generic" && len(got.Profile.Hints) <= len(triton.Profile.Hints) {
			t.Errorf("%s: the hints of one half are lost", distribution)
		}
	}
}

// TestPinned: a name is not doubted; what it does not say is detected.
func TestPinned(t *testing.T) {
	t.Parallel()
	profiles := builtin(t)
	k3s := cloud.Facts{Context: "kind-dev", GitVersion: "v1.33.2+k3s1", Nodes: labelled("", "node.kubernetes.io/instance-type=k3s")}
	auto := cloud.Facts{Nodes: labelled("", "eks.amazonaws.com/compute-type=auto"), APIGroups: []string{"apps"}}
	tests := map[string]struct {
		facts cloud.Facts
		want  string
	}{
		"triton":                 {k3s, "triton/k3s"},
		"triton/generic":         {k3s, "triton"},
		"k3s":                    {cloud.Facts{Nodes: labelled("triton:///a/b")}, "triton/k3s"},
		"k3s/servicelb":          {cloud.Facts{}, "k3s/servicelb"},
		"generic":                {k3s, "generic"},
		"gke":                    {k3s, "gke"},
		"eks":                    {auto, "eks/auto-mode"},
		"eks/internal":           {auto, "eks/auto-mode/internal"},
		"eks/legacy":             {auto, "eks/legacy"},
		"gke/autopilot/internal": {cloud.Facts{}, "gke/autopilot/internal"},
	}
	for wanted, tt := range tests {
		got, err := profiles.Resolve(wanted, tt.facts)
		if err != nil || got.Label() != tt.want || got.Detected || got.Warning != "" {
			t.Errorf("%s: %s %q %v", wanted, got.Label(), got.Warning, err)
		}
	}
	for wanted, near := range map[string]string{"gke/autopilt": "gke/autopilot", "gke/k3s": "", "kind/kind": "", "eks/": ""} {
		var unknown *cloud.UnknownError
		if _, err := profiles.Resolve(wanted, cloud.Facts{}); !errors.As(err, &unknown) || unknown.Suggestion != near {
			t.Errorf("%s: %v", wanted, err)
		}
	}
}
