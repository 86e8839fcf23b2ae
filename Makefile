# Drydock: `make` alone prints this help.
.DEFAULT_GOAL := help
.PHONY: help up real real-down test e2e test-docker conformance bench lint build demo image clean setup setup-test

SOURCES := $(wildcard $(shell git ls-files -co --exclude-standard -- '*.go' '*.c' '*.h' '*.hcl' '*.json' '*.js' '*.css' '*.html' '*.svg' go.mod go.sum 2>/dev/null))
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/drydock/drydock/role.version=$(VERSION)

help: ## print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: build ## set up what is missing, start the offline stack and every role, and stay (ARGS="--free-ports" for flags)
	@bin/drydock up $(ARGS)

real: build ## start the real Consul and Nomad on this machine, and everything else as their jobs (ARGS="--free-ports" for flags)
	@path=$$(scripts/real.sh path) && PATH="$$path:$$PATH" bin/drydock real up $(ARGS)

real-down: build ## stop them again; their data is kept (ARGS="--purge" removes it)
	@bin/drydock real down $(ARGS)

test: setup-test build ## set up what is missing, and run every test
	@scripts/real.sh minio >/dev/null
	@scripts/real.sh mc >/dev/null
	@scripts/real.sh consul >/dev/null
	@scripts/real.sh nomad >/dev/null
	go test -race -timeout 30m ./...

# The programs of the real stacks have to be on the PATH; -count=1 has a stack
# that was not changed here be tried again.
STACK ?= emulator
e2e: setup-test ## run the end-to-end suite, and print how the stacks compare (STACK=emulator, real or cluster; ARGS=-update for docs/parity.md)
	$(if $(filter-out emulator,$(STACK)),PATH="$$(scripts/real.sh path):$$PATH") go test -v -count=1 -timeout 30m ./e2e -stack $(STACK) $(ARGS)

test-docker: setup ## run the job files as containers, on the real Nomad and the emulated one (as root)
	@scripts/setup.sh docker
	@scripts/real.sh consul >/dev/null
	@scripts/real.sh nomad >/dev/null
	scripts/docker.sh go test -count=1 -timeout 20m ./e2e/containers

conformance: build ## run the official Consul, Nomad and MinIO clients' own tests against the emulators, and list what differs from the real programs
	@failed=0; \
	go run ./emulator/consul/conformance $(ARGS) || failed=1; \
	go run ./emulator/nomad/conformance $(ARGS) || failed=1; \
	go run ./emulator/s3/conformance || failed=1; \
	exit $$failed

bench: setup-test build ## measure against the limit and the peers: a table, and bench.json (BENCH=pictures for one suite)
	go run ./bench

lint: setup ## gofmt, go vet, staticcheck, formatted job files, the directions of imports
	scripts/lint.sh

build: setup bin/drydock bin/drydock-images ## build the programs into bin/

demo: build ## send some photographs to a running stack (ARGS="~/Pictures" for yours)
	@bin/drydock demo $(ARGS)

image: ## build the container images drydock and drydock-images, offline too (BASE=debian:bookworm-slim for a base of your choice)
	@BASE='$(BASE)' GO='$(GO)' VERSION='$(VERSION)' scripts/image.sh

clean: ## remove what was built and the state of the offline stack
	rm -rf bin .drydock bench.json

setup:
	@scripts/setup.sh

setup-test:
	@scripts/setup.sh test

bin/drydock: $(SOURCES)
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o $@ .

bin/drydock-images: $(SOURCES)
	go build -ldflags '$(LDFLAGS)' -o $@ ./workers/images

# The program of the image drydock: without the offline stack.
bin/image/drydock: $(SOURCES)
	CGO_ENABLED=0 go build -tags image -ldflags '$(LDFLAGS)' -o $@ .
