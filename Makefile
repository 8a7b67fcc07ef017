# egk8s: build, test and demonstrate. `make help` explains every target.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

GO ?= go
GO_MINIMUM := 1.26

# The product is pure Go, and two builds of one commit are one binary.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false $(filter-out -trimpath -buildvcs=false,$(GOFLAGS))

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null)
# The time of everything that is built: that of the commit.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
COMMIT_DATE := $(shell TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
VERSION_FLAG := -X egk8s.dev/egk8s/gateway/version.Version=$(VERSION) -X egk8s.dev/egk8s/gateway/version.Commit=$(COMMIT) -X egk8s.dev/egk8s/gateway/version.Date=$(COMMIT_DATE)
LDFLAGS := -s -w -buildid= $(VERSION_FLAG)

GOLANGCI := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT := $(GO) run mvdan.cc/gofumpt@v0.12.0
ACTIONLINT := $(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# The race detector needs cgo and a C compiler; without one the tests run without it, and say so.
CC_FOUND := $(shell command -v $(or $(CC),cc) 2>/dev/null)
RACE := $(if $(CC_FOUND),CGO_ENABLED=1 $(GO) test -race,$(GO) test)

CLUSTER := testdata/cluster
EGKUBE := bin/egkube
EMBEDDED := deployer/image/embedded

.PHONY: help
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: go-version
go-version:
	@command -v $(GO) >/dev/null 2>&1 || { echo "error: no go command found; install Go $(GO_MINIMUM) or newer from https://go.dev/dl" >&2; exit 1; }
	@have=$$($(GO) env GOVERSION | sed 's/^go//'); \
	lowest=$$(printf '%s\n%s\n' "$(GO_MINIMUM)" "$$have" | sort -V | head -n 1); \
	[ "$$lowest" = "$(GO_MINIMUM)" ] || { echo "error: Go $$have is too old: egk8s needs Go $(GO_MINIMUM) or newer (https://go.dev/dl)" >&2; exit 1; }

.PHONY: build
build: go-version ## build bin/egk8s (with the gateway image inside) and bin/egk8s-gateway
	@mkdir -p bin/linux-amd64 bin/linux-arm64
	GOOS=linux GOARCH=amd64 $(GO) build -ldflags '$(LDFLAGS)' -o bin/linux-amd64/egk8s-gateway ./cmd/egk8s-gateway
	GOOS=linux GOARCH=arm64 $(GO) build -ldflags '$(LDFLAGS)' -o bin/linux-arm64/egk8s-gateway ./cmd/egk8s-gateway
	$(GO) run ./deployer/image/packlayer -out $(EMBEDDED) -version $(VERSION) bin/linux-amd64/egk8s-gateway bin/linux-arm64/egk8s-gateway
	$(GO) build -tags embedgateway -ldflags '$(LDFLAGS)' -o bin/egk8s ./cmd/egk8s
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/egk8s-gateway ./cmd/egk8s-gateway

.PHONY: test
test: go-version ## run every fast test: no root, no cluster, no network
	$(if $(CC_FOUND),,@echo "no C compiler found: running without the race detector")
	$(RACE) ./...
	cd $(CLUSTER) && $(GO) test ./egkube/... ./internal/...

.PHONY: h2spec
h2spec: go-version ## run h2spec (fetched) against both ports of a gateway
	$(GO) test -count=1 -tags h2spec -run TestH2Spec -v ./gateway/server

.PHONY: test-cloudapi
test-cloudapi: go-version ## let Triton's official command line (node, fetched with npm) judge our stub of CloudAPI
	$(GO) test -count=1 -v -timeout 10m ./testdata/cloudapi

.PHONY: test-api
test-api: build egkube ## run the tests that need a real API server (built from source the first time; no root)
	$(EGKUBE) run --nodes 0 --name test-api -- $(GO) test -tags api -count=1 -p 1 ./deployer/... ./cmd/egk8s/...

.PHONY: e2e
e2e: build egkube ## run the tests on two real nodes (root for the network namespaces)
	$(EGKUBE) run --nodes 2 --name e2e -- $(GO) test -tags e2e -count=1 -timeout 25m -v ./cmd/egk8s/e2e

.PHONY: soak
soak: build egkube ## run the long trials on two real nodes
	EGK8S_SOAK=1 $(EGKUBE) run --nodes 2 --name soak -- $(GO) test -tags e2e -count=1 -timeout 90m -v ./cmd/egk8s/e2e
	EGK8S_SOAK=1 $(EGKUBE) run --nodes 0 --name soak-faults -- $(GO) test -tags api -count=1 -timeout 90m -run TestFaults ./deployer

.PHONY: check
check: go-version ## check format, lint, tidiness and import rules (changes nothing)
	@out=$$($(GOFUMPT) -l cmd gateway deployer templates charts); [ -z "$$out" ] || { echo "not formatted (make fmt):"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags api,e2e ./...
	$(GOLANGCI) run
	$(ACTIONLINT) templates/ci/github/.github/workflows/*.yml
	$(GO) mod tidy -diff
	cd $(CLUSTER) && $(GO) mod tidy -diff && $(GOLANGCI) run ./egkube/... ./internal/...

.PHONY: fmt
fmt: go-version ## format the code
	$(GOFUMPT) -w cmd gateway deployer templates charts

.PHONY: bench
bench: go-version ## compare with nginx, HAProxy and Express Gateway; writes docs/performance.md [EG_DIR=folder] [BENCH="-rounds 5"]
	@mkdir -p bin
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/egk8s-gateway ./cmd/egk8s-gateway
	$(GO) run ./testdata/bench -docs docs/performance.md $(BENCH)

HELM_VERSION := v3.22.0
HELM_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/egk8s/helm-$(HELM_VERSION)

.PHONY: bench-deploy
bench-deploy: egkube ## count requests, time and memory of deploys of 10, 200 and 1000 objects, beside kubectl and helm; writes docs/performance.md
	@[ -x $(HELM_DIR)/helm ] || GOBIN=$(HELM_DIR) $(GO) install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)
	EGK8S_BENCH=1 EGK8S_BENCH_DOCS=$(CURDIR)/docs/performance.md EGK8S_TEST_HELM=$(HELM_DIR)/helm $(EGKUBE) run --nodes 0 --name bench-deploy -- \
	  $(GO) test -tags api -count=1 -timeout 20m -run TestBenchDeploy -v ./deployer

.PHONY: benchmarks
benchmarks: go-version ## run the Go benchmarks of the hot paths
	$(GO) test -run '^$$' -bench . -benchmem ./gateway/...

.PHONY: pgo
pgo: go-version ## measure the gateway under load and keep the profile that its build is laid out by
	$(GO) run ./testdata/bench -length 20s -profile cmd/egk8s-gateway/default.pgo

.PHONY: fuzz
fuzz: go-version ## run each fuzz test for 30 seconds
	@for pkg in $$($(GO) list ./gateway/... ./deployer/...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime 30s $$pkg || exit 1; done; done

.PHONY: reproducible
reproducible: ## build the image twice, in different places, and compare the digests
	$(GO) test -count=1 -timeout 40m -run TestReproducible -tags reproducible ./deployer/image/...

.PHONY: release
release: go-version ## build everything of a release into dist/VERSION [VERSION=v1.2.3] [PLATFORMS=linux/amd64] [URL=https://...]
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(GO) run ./cmd/release -version '$(VERSION)' -commit '$(COMMIT)' $(if $(PLATFORMS),-platforms $(PLATFORMS)) $(if $(GATEWAYS),-gateways $(GATEWAYS)) $(if $(URL),-url $(URL))

.PHONY: test-release
test-release: go-version ## build a release twice in different folders, compare, install from it [PLATFORMS=linux/amd64]
	EGK8S_PLATFORMS=$(PLATFORMS) EGK8S_GATEWAYS=$(GATEWAYS) $(GO) test -count=1 -timeout 60m -tags release -run TestRelease -v ./cmd/release

.PHONY: egkube
egkube: go-version
	@mkdir -p bin
	cd $(CLUSTER) && $(GO) build -ldflags '-s -w' -o ../../$(EGKUBE) ./egkube

.PHONY: cluster
cluster: egkube ## bring up a real two-node Kubernetes on this machine (root; says first what it will do)
	$(EGKUBE) up

.PHONY: cluster-down
cluster-down: egkube ## take the local cluster down; leaves nothing
	$(EGKUBE) down

.PHONY: demo
demo: build egkube ## deploy a gateway and two services on a cluster and send requests through it [CONTEXT=name]
	$(GO) run ./testdata/demo $(if $(CONTEXT),--context $(CONTEXT)) $(if $(REPOSITORY),--repository $(REPOSITORY))

.PHONY: clean
clean: ## remove what was built here
	rm -rf bin dist coverage.out $(EMBEDDED)/*.tar.gz $(EMBEDDED)/*.json
