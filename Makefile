# Needs Debian 12 or newer, the .NET 10 SDK and make. `make` alone lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ARCH := $(shell uname -m)
RID := $(if $(filter aarch64 arm64,$(ARCH)),linux-arm64,linux-x64)
CONFIGURATION ?= Release
OUT := $(CURDIR)/out
RESULTS := $(CURDIR)/TestResults
DOTNET := dotnet
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
# The two test projects share the machine's network stack: one at a time. A test without an end is named and ended.
TEST := $(DOTNET) test -c $(CONFIGURATION) --nologo --results-directory $(RESULTS) \
        --blame-hang --blame-hang-timeout 4m --blame-hang-dump-type none
SOURCES = $(shell find src lab -name '*.cs' -not -path '*/obj/*' -not -path '*/bin/*') \
          $(wildcard src/*/*.csproj lab/*/*.csproj Directory.*.props)

.PHONY: help build publish install demo test unit lab bench matrix torture fmt fmt-check clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

install: ## Debian packages that building, demo and tests need (as root, only what is missing)
	@lab/install.sh

build: ## compile everything
	$(DOTNET) build EdgeMesh.slnx -c $(CONFIGURATION) -nologo -v q

publish: $(OUT)/edgemesh $(OUT)/lab/edgemesh-lab ## out/edgemesh, one native executable, and the lab tool in out/lab

$(OUT)/edgemesh: $(SOURCES)
	$(DOTNET) publish src/EdgeMesh.App -c Release -r $(RID) -o $(OUT)/publish -nologo -v q
	install -m 755 $(OUT)/publish/edgemesh $@
	@ls -l $@ | awk '{ printf "out/edgemesh: %.1f MB\n", $$5 / 1e6 }'

$(OUT)/lab/edgemesh-lab: $(SOURCES)
	$(DOTNET) publish lab/EdgeMesh.Lab -c Release -o $(OUT)/lab -nologo -v q
	@touch $@

demo: install publish ## the three scenarios across real NATs, and live path switches (as root; KEEP=1 leaves it up)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project lab/EdgeMesh.Demo -c Release -- $(if $(KEEP),--keep)

unit: ## unit and architecture tests
	$(TEST) tests/EdgeMesh.Tests.Unit --logger "trx;LogFileName=unit.trx"

lab: install publish ## tests on a real kernel with real NATs (as root)
	EDGEMESH=$(OUT)/edgemesh $(TEST) tests/EdgeMesh.Tests.Lab --logger "trx;LogFileName=lab.trx"

test: install publish ## unit and lab tests
	@rm -rf $(RESULTS)
	@status=0; $(MAKE) --no-print-directory unit || status=1; $(MAKE) --no-print-directory lab || status=1; exit $$status

bench: install publish ## numbers beside no mesh and TLS over TCP, to docs/bench (as root, 40 minutes; ONLY="same LAN" prints one part)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release -- $(if $(ONLY),--only "$(ONLY)",--output docs/bench/mesh.md)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release --no-build -- kube $(if $(ONLY),,--output docs/bench/kube.md)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release --no-build -- proxy $(if $(ONLY),,--output docs/bench/proxy.md)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release --no-build -- dns $(if $(ONLY),,--output docs/bench/dns.md)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release --no-build -- far $(if $(ONLY),,--output docs/bench/far.md)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release --no-build -- cuts $(if $(ONLY),,--output docs/bench/cuts.md)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release --no-build -- servers $(if $(ONLY),,--output docs/bench/servers.md)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release --no-build -- peers $(if $(ONLY),,--output docs/bench/peers.md)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release --no-build -- threads $(if $(ONLY),,--output docs/bench/threads.md)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release --no-build -- load $(if $(ONLY),,--output docs/bench/load.md)

matrix: install publish ## every pair of kinds of NAT, to docs/bench (as root, 20 minutes; ONLY=symmetric prints some)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release -- matrix $(if $(ONLY),--only "$(ONLY)",--output docs/bench/nat-matrix.md)

torture: install publish ## an hour's worth of mishaps under fifty streams, to docs/bench (as root, 15 minutes; SEED=1 EVENTS=20 prints)
	EDGEMESH=$(OUT)/edgemesh $(DOTNET) run --project bench/EdgeMesh.Bench -c Release -- torture $(if $(SEED),--seed $(SEED)) $(if $(EVENTS),--events $(EVENTS),--output docs/bench/torture.md)

fmt: ## format the code
	$(DOTNET) format EdgeMesh.slnx

fmt-check: ## fail where 'make fmt' would change something
	$(DOTNET) format EdgeMesh.slnx --verify-no-changes

clean: ## remove what was built
	rm -rf $(OUT) $(RESULTS)
	find src lab tests bench -maxdepth 2 \( -name bin -o -name obj \) -prune -exec rm -rf {} + 2>/dev/null || true
