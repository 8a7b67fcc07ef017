package deployer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"egk8s.dev/egk8s/deployer/object"
	"egk8s.dev/egk8s/deployer/release"
)

// TestReadRecord: what a revision's manifest says of its pods, and what they cannot start without.
func TestReadRecord(t *testing.T) {
	t.Parallel()
	const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: own}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
        - {name: helper, image: other:1}
        - name: gateway
          image: gateway:1
          env: [{name: A, value: b}, {name: EGK8S_CONFIG_DIGEST, value: abc}]
      volumes:
        - name: config
          projected:
            sources:
              - configMap: {name: shop-config-1}
              - secret: {name: shop-secret-1}
              - configMap: {name: own}
        - {name: consumers, secret: {secretName: shop-consumers, optional: true}}
        - {name: tls, secret: {secretName: api-tls}}
`
	s := &session{name: "shop", namespace: "ns"}
	got, err := s.readRecord(&release.Record{Revision: 3, Manifest: manifest})
	if err != nil {
		t.Fatal(err)
	}
	if got.image != "gateway:1" || got.config != "abc" || len(got.objects) != 2 {
		t.Errorf("image %q, config %q, %d objects", got.image, got.config, len(got.objects))
	}
	want := []object.Ref{ref("ConfigMap", "shop-config-1"), ref("Secret", "shop-secret-1"), ref("Secret", "api-tls")}
	if diff := cmp.Diff(want, got.needs); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
}
