# Everything that a developer or a new user runs, and nothing that hides what it does. `make` alone explains itself.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Everything is built without cgo, so that a fresh machine needs no C compiler and the binaries run in any image.
export CGO_ENABLED := 0
# The same flags for building, testing and linting, so that nothing is compiled twice.
export GOFLAGS := -trimpath -buildvcs=false

KUBERNETES := $(shell sed -n 's|.*k8s.io/kubernetes v||p' devcluster/go.mod)
VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
E2E_TIMEOUT := 35m

##@ Use

.PHONY: demo
demo: build ## Start a real Kubernetes, put Brazier on it and run a real Spark job (DATA=path.csv for your own invoices)
	@bin/brazier up
	@bin/brazier demo $(if $(DATA),--data "$(DATA)")

.PHONY: build
build: bin/brazier bin/brazier-cluster bin/brazier-pause ## Build the binaries into bin/

.PHONY: down
down: ## Stop the embedded cluster; its data stays (bin/brazier down --purge removes it)
	@bin/brazier down

##@ Test

# What the tests of all levels need is made first, one after the other. The levels without the cluster mostly wait, for
# processes and for outages that last as long as they last, so they run side by side, and each shows what it has to say when
# it has ended. The cluster's tests look for processes that are left over, so nothing runs beside them.
BESIDE := test-unit test-monitoring test-resilience test-job test-image

.PHONY: test
test: build bin/kubectl bin/helm bin/promtool .cache/venv/ready .cache/connect-venv/ready lint ## Run every test (what CI runs)
	@echo "• side by side: $(BESIDE)"
	@$(MAKE) --jobs=$(words $(BESIDE)) --output-sync=target $(BESIDE)
	@$(MAKE) test-e2e

.PHONY: test-unit
test-unit: bin/brazier-cluster bin/kubectl bin/helm ## Unit tests, and tests against a real API server
	@build/packages jq:jq
	@echo "• unit and API tests"
	@go test -p 3 ./...
	@cd devcluster && go test ./...

.PHONY: test-monitoring
test-monitoring: bin/promtool ## Alert rules and dashboard: promtool's checks, each alert's tests, Grafana's schema, metrics that exist
	@echo "• alerts and dashboard"
	@bin/promtool check rules charts/brazier/files/alerts.yaml
	@bin/promtool test rules test/monitoring/alerts/*.yaml
	@cd test/monitoring && go test ./...

.PHONY: test-resilience
test-resilience: build ## Handovers between versions, a killed leader, and two minutes without an API server (OLD=path of another operator)
	@echo "• resilience tests"
	@$(if $(OLD),OLD="$(abspath $(OLD))") go test -tags resilience -count=1 -timeout 15m -v ./test/resilience

.PHONY: test-job
test-job: .cache/venv/ready ## The demo's PySpark job under a local Spark
	@echo "• the demo's job"
	@cd examples/retail && ../../.cache/venv/bin/python -m unittest -v

.PHONY: test-image
test-image: ## The Spark image's own programs, and whether it is built alike twice
	@echo "• the Spark image"
	@go test -tags e2e -count=1 -timeout 20m -v ./test/e2e/image

.PHONY: test-e2e
test-e2e: build bin/kubectl bin/helm .cache/venv/ready .cache/connect-venv/ready ## End-to-end tests: real node, real containers, real Spark
	@build/packages ip:iproute2 ss:iproute2 javac:openjdk-17-jdk-headless pip3:python3-pip
	@echo "• end-to-end tests"
	@go test -tags e2e -count=1 -timeout $(E2E_TIMEOUT) -v ./test/e2e

.PHONY: test-airflow
test-airflow: build bin/kubectl .cache/airflow/ready ## The DAGs of examples/airflow, run by Airflow
	@echo "• Airflow"
	@go test -tags e2e,airflow -count=1 -timeout 30m -v -run TestAirflow ./test/e2e

.PHONY: test-causes
test-causes: build bin/kubectl ## Thirty kinds of failures, each explained right, and thirty kinds of healthy runs, none blamed
	@build/packages javac:openjdk-17-jdk-headless
	@echo "• causes of failure"
	@go test -tags e2e,causes -count=1 -parallel 8 -timeout 40m -v -run 'TestCauses|TestHealthy' ./test/e2e

.PHONY: fuzz
fuzz: ## Fuzz every parser for a while (FUZZTIME=30s each)
	@build/fuzz $(or $(FUZZTIME),30s)

##@ Develop

.PHONY: lint
lint: bin/golangci-lint ## golangci-lint, with the rules that keep the architecture
	@bin/golangci-lint run ./...
	@cd devcluster && ../bin/golangci-lint run --config ../.golangci.yml ./...
	@cd test/monitoring && ../../bin/golangci-lint run --config ../../.golangci.yml ./...

.PHONY: vuln
vuln: ## govulncheck: a report, where its database can be reached
	@cd tools/lint && go build -o ../../bin/govulncheck golang.org/x/vuln/cmd/govulncheck
	@bin/govulncheck ./... || echo "govulncheck did not finish; where its database cannot be reached, it cannot tell"

.PHONY: generate
generate: docs ## Regenerate deepcopy functions, CRDs and the page of commands
	@go generate ./api/...

.PHONY: docs
docs: ## Rewrite docs/commands.md from the commands
	@go generate ./internal/cli

.PHONY: golden
golden: ## Rewrite golden files from what the code does now; read the difference before you commit it
	@go test ./internal/spark ./internal/localcluster/part ./internal/install ./internal/follow ./internal/cli/run ./internal/diagnose ./internal/sparksubmit ./internal/applications ./internal/cli/why ./internal/cli/queue -update
	@cd test/monitoring && go test . -update

.PHONY: conformance
conformance: bin/brazier-cluster ## Record anew what Spark's own spark-submit makes of test/conformance/cases.yaml
	@go test -tags conformance -count=1 -timeout 60m -v -run TestRecord ./test/conformance

.PHONY: images
images: build ## Build the Spark image for every supported version (the demo builds only the newest)
	@for version in 3.5 4.0 4.1 4.2 4.3; do bin/brazier image build spark --spark $$version; done

.PHONY: bench
bench: build ## Run the benchmarks; each prints its floor or its peer in the same run
	@for bench in bench/*/run; do "$$bench"; done

.PHONY: clean
clean: ## Remove what was built here; caches and the cluster's data stay
	@rm -rf bin .cache

.PHONY: help
help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- What is built --------------------------------------------------------------------------------------------------

GO_SOURCES      := $(shell find cmd api charts internal examples images -type f 2>/dev/null) go.mod go.sum
CLUSTER_SOURCES := $(shell find devcluster -type f 2>/dev/null)
CLUSTER_FLAGS   := -s -w \
	-X k8s.io/component-base/version.gitVersion=v$(KUBERNETES) \
	-X k8s.io/component-base/version.gitMajor=$(word 1,$(subst ., ,$(KUBERNETES))) \
	-X k8s.io/component-base/version.gitMinor=$(word 2,$(subst ., ,$(KUBERNETES))) \
	-X k8s.io/client-go/pkg/version.gitVersion=v$(KUBERNETES)

bin/brazier: $(GO_SOURCES)
	@build/compile . "$@" ./cmd/brazier -ldflags "-s -w -X brazier.sh/brazier/internal/version.version=$(VERSION)"

bin/brazier-cluster: $(CLUSTER_SOURCES)
	@build/compile devcluster "$@" . -ldflags "$(CLUSTER_FLAGS)"

bin/brazier-pause: $(CLUSTER_SOURCES)
	@build/compile devcluster "$@" ./cmd/pause -ldflags "-s -w -X main.version=$(VERSION)"

bin/kubectl: devcluster/go.mod
	@build/compile devcluster "$@" k8s.io/kubernetes/cmd/kubectl -ldflags "$(CLUSTER_FLAGS)"

bin/helm: tools/helm/go.mod
	@build/compile tools/helm "$@" helm.sh/helm/v4/cmd/helm

bin/golangci-lint: tools/lint/go.mod
	@build/compile tools/lint "$@" github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# Without the ways to find targets in clouds, which nothing here needs: two hundred packages fewer.
bin/promtool: test/monitoring/go.mod
	@build/compile test/monitoring "$@" github.com/prometheus/prometheus/cmd/promtool -tags remove_all_sd

.cache/venv/ready: examples/retail/requirements.txt
	@build/venv .cache/venv examples/retail/requirements.txt

.cache/airflow/ready: test/airflow/requirements.txt test/airflow/constraints.txt
	@build/venv .cache/airflow test/airflow/requirements.txt

.cache/connect-venv/ready: test/e2e/testdata/connect-requirements.txt
	@build/venv .cache/connect-venv test/e2e/testdata/connect-requirements.txt
