# `make` lists the targets. Only engine-up, podman-up, images and deb-check may
# install or fetch anything but Go modules, and only what is missing.

GO       ?= go
CI       ?=
FUZZTIME ?= 10s
COUNT    ?= 6
MICROBENCH ?= Lines|Mask|Output|Schedule|Pump|Plain|Parse|Compile|Format|Check|Append|Handle|Replay
PKG      ?= ./...

# A build server wants every test, fresh, and the Docker ones to fail rather
# than to be skipped; and one package after another, because two that keep the
# engine busy at once make it too slow for what they promise.
testflags := -timeout 20m $(if $(CI),-count=1 -p 1)

lint_version    := v2.15.0
linter          := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(lint_version)
release_version := v2.13.0
releaser        := $(GO) run github.com/goreleaser/goreleaser/v2@$(release_version)
# The version comes from here, not from Go's own stamp: that one makes a build
# fail in a tree that belongs to another user.
version         := $(shell git describe --tags --always --dirty 2>/dev/null)
commit          := $(shell git rev-parse HEAD 2>/dev/null)
date            := $(shell TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
ldflags         := -s -w $(if $(version),-X main.version=$(version) -X main.commit=$(commit) -X main.date=$(date))

.DEFAULT_GOAL := help
.PHONY: help build test demo dogfood images engine-up engine-down podman-up podman-down bench microbench fuzz check lint fmt licences release-check snapshot deb-check reproducible release clean go

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: go ## build bin/drone
	CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '$(ldflags)' -o bin/drone ./cmd/drone

demo: build images ## run the pipelines of testdata/demo
	@chmod 600 testdata/demo/demo.secrets # git does not keep who may read it
	cd testdata/demo && ../../bin/drone exec --secret-file demo.secrets

test: go images $(if $(CI),podman-up) ## vet, then all tests, with a real engine
	$(GO) vet $(PKG)
	CI=$(CI) $(GO) test $(testflags) $(PKG)
	@[ -d ../shared/corpus ] || echo 'test: note: ../shared/corpus is absent, so no real files of other people were planned'

images: engine-up ## make the images of the tests, without a registry
	@scripts/images

dogfood: go images ## have drone check this project by its own .drone.yml, half a minute
	@GO='$(GO)' scripts/dogfood

engine-up: ## find a container engine, or start one as root on Debian and Ubuntu
	@scripts/engine-up

engine-down: ## stop the engine that engine-up started
	@scripts/engine-down

podman-up: images ## start a Podman for the tests, as root on Debian and Ubuntu
	@scripts/podman-up

podman-down: ## stop it, and remove what it holds
	@scripts/podman-down

bench: go images ## compare with `docker run` and what is promised, about five minutes
	$(GO) run ./bench $(BENCHFLAGS)

microbench: go ## measure splitting, masking, scheduling, compiling: for benchstat
	@$(GO) test -run '^$$' -bench '$(MICROBENCH)' -benchmem -count $(COUNT) ./exec ./exec/docker ./report ./manifest ./compile ./format ./lint ./internal/logs ./internal/history

.PHONY: viewbench pictures
viewbench: go ## measure the view: what it costs a run, opening, searching
	@$(GO) test -run '^$$' -bench 'View|Search|Open' -benchtime 10x ./cmd ./internal/logs ./internal/history

pictures: build images ## take the pictures of docs/pictures
	@mkdir -p docs/pictures
	$(GO) run ./scripts/pictures bin/drone docs/pictures

fuzz: go ## run each fuzz target for FUZZTIME
	@GO='$(GO)' scripts/fuzz $(FUZZTIME)

check: go ## all that needs no engine: format, vet, lint, licences, generated files, races
	@GO='$(GO)' LINTER='$(linter)' scripts/check

lint: go ## run golangci-lint
	$(linter) run

fmt: go ## format the Go files
	$(GO) fmt ./...

licences: go ## check the licences of what is linked in
	@$(GO) run ./release licences

release-check: go ## check goreleaser.yaml
	@. scripts/origin.sh && $(releaser) check goreleaser.yaml

snapshot: go ## build a release into dist/, and publish nothing, one to eight minutes
	@GO='$(GO)' RELEASER='$(releaser)' scripts/snapshot

deb-check: snapshot ## install the package in a container with nothing but Debian
	@scripts/deb-check

reproducible: go ## build a release twice, and compare, about ten minutes
	@GO='$(GO)' RELEASER='$(releaser)' scripts/reproducible

release: go ## publish the tag that is checked out
	@GO='$(GO)' RELEASER='$(releaser)' scripts/release

clean: ## remove what was built here
	rm -rf bin build dist bench/latest.json coverage.out

go:
	@command -v $(GO) >/dev/null 2>&1 || { \
		echo 'make: error: no Go found in PATH' >&2; \
		echo 'make: hint: install Go 1.26 or newer (https://go.dev/dl/), or name it: make GO=/usr/local/go/bin/go' >&2; \
		exit 2; }
