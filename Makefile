# b8s. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# npm puts the pinned Node there, before the machine's own.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

STAMP := node_modules/.stamp
SEED ?=
SEEDS ?=
MINUTES ?=
# Each is an option of sim/main.ts; the flags are set by any value.
SIM_OPTIONS = SEED SEEDS MINUTES PROFILE FAULTS DOMS SUBS USERS OPERATIONS LEFT_OUT CLIENTS STORM_MS \
	CA GIT SITES LINE CONTENDERS JOBS CRASH_POINTS CRASH_AT LAG_MS AIM OLDER HOST KIND FROM TO GREP HTML
SIM_FLAGS = SHRINK RARE_PATHS ALL WHY
option = --$(subst _,-,$(shell echo $(1) | tr A-Z a-z))
SIM_ARGS = $(foreach name,$(SIM_OPTIONS),$(if $($(name)),$(call option,$(name)) $($(name)))) \
	$(foreach name,$(SIM_FLAGS),$(if $($(name)),$(call option,$(name))))

.PHONY: help demo test check fmt gen unit sim sim-tests mutants fuzz e2e bench native build clean setup

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## a control plane and three nodes on this machine, serving a site; Ctrl-C ends it
	@exec node e2e/demo/main.ts

test: setup ## install what is missing, then check, unit, sim and e2e
	@$(MAKE) --no-print-directory check
	@node e2e/tests/main.ts unit sim e2e

check: $(STAMP) ## types, lint, format, boundaries, generated files
	tsc
	tsc -p sim/timeline/page
	oxlint --type-aware --quiet
	biome check --error-on-warnings
	buf lint
	node e2e/fresh/main.ts
	vitest run --project unit tidy.test.ts

fmt: $(STAMP) ## format everything
	biome check --write
	buf format -w

gen: $(STAMP) ## generate the wire's code, the reference and the schema
	buf generate
	node api/main.ts
	node cli/reference/main.ts
	biome check --write docs/reference

unit: native ## the tests beside the code
	vitest run --project unit

# Their many processes compile the same code.
sim sim-tests mutants: export NODE_COMPILE_CACHE := $(CURDIR)/.b8s/compiled/sim
sim: $(STAMP) ## a fixed set of simulated clusters; SEED=n replays one, SEEDS=a..b hunts, FAULTS=… narrows
	@if [ -n "$(SEED)$(SEEDS)$(CRASH_POINTS)$(AIM)" ]; then node $(if $(MUTANT),--import ./sim/mutants/register.ts) sim/main.ts $(SIM_ARGS); else vitest run --project sim sim/sim.test.ts -t 'the fixed set'; fi

sim-tests: $(STAMP) ## all tests of the simulation: the fixed set, crash points, scenarios, its own parts
	vitest run --project sim

mutants: $(STAMP) ## deliberate bugs, each to be caught by the simulation; ONLY=name,… SEEDS=n narrow
	@exec node sim/mutants/main.ts $(if $(ONLY),--only $(ONLY)) $(if $(SEEDS),--seeds $(SEEDS))

fuzz: $(STAMP) ## attack nameserver and edge over sockets, the former by coverage too; MINUTES=n SEED=n
	@node e2e/fuzz/main.ts $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))
	@exec node e2e/fuzz/http/main.ts $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

e2e: setup ## real processes, real etcd
	vitest run --project e2e

bench: native ## measure; docs/performance.md tells how to read it
	node bench/main.ts

native: $(STAMP) ## compile what makes nameservers faster; without a compiler they do without
	@node bin/native/main.ts

build: $(STAMP) ## bundle dom, sub and b8sctl into dist/
	node bin/build/main.ts

clean: ## remove what was built and all local state
	rm -rf dist .b8s runtime/node/udp-batch/build

setup: $(STAMP)
	@e2e/setup.sh
	@node bin/native/main.ts

$(STAMP): package.json package-lock.json
	@echo "installing npm packages"
	@# Not `npm ci`: it insists on the packages of other platforms too, which not every registry has.
	@npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@
