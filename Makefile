# fenliu: `make help` lists what there is. Python 3.11 or later and make are all that is needed beforehand.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# Two states of it: what runs fenliu, with the embedded broker of the demo; and the tools of the tests besides.
RUNTIME := $(VENV)/.runtime
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest
# Two processes, each with whole files: a file's fixtures, brokers among them, are made once.
PARALLEL := -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help env demo test check lint types unit conformance compiled gate integration integration-embedded manifests locks faults drill soak mutation pythons dashboards bench lock sbom audit clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Installs into an environment ($1) what the arguments ($2) say, with pip, since a mirror stands in pip's settings.
define install
echo "$(1): pip install $(2)"; \
$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(2) || { \
  echo "fenliu: this was not installed. No network: connect, and say make again. The package registry is slow or out of reach: name a mirror, $(1)/bin/pip config set global.index-url https://MIRROR/simple. An old or a very new Python (this is $$($(1)/bin/python -V)): make PYTHON=/path/to/python3.11, 3.12 or 3.13." >&2; exit 2; }
endef

$(RUNTIME): demo.lock pyproject.toml
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "fenliu needs Python 3.11 or later: install it, or say make PYTHON=/path/to/python3.13" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@$(call install,$(VENV),--require-hashes -r demo.lock)
	@$(call install,$(VENV),--no-deps --no-build-isolation -e .)
	@touch $@

$(READY): $(RUNTIME) requirements.lock
	@$(call install,$(VENV),--require-hashes -r requirements.lock)
	@touch $@

env: $(READY) ## make the environment of the tests (.venv) from the hashed lock file

demo: $(RUNTIME) ## run everything once: embedded broker, topics, simulated shops, a worker, a summary
	@$(BIN)/fenliu demo $(DEMO_ARGS)

test: lint types unit conformance compiled gate integration manifests locks faults ## everything that must hold, part by part: the nine below down to faults, after lint

check: lint types conformance ## the quick part for every change, without a broker: lint, types, conformance, most of the units
	$(PYTEST) $(PARALLEL) tests/unit tests/reference -m "not broker and not slow"

lint: $(READY) ## style, and which package may import which: ruff, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY) ## every type agrees: mypy --strict
	$(BIN)/mypy

unit: $(READY) ## every module by itself, the core against an independent reading of the rules, documents, alerts, settings
	$(PYTEST) $(PARALLEL) tests/unit tests/reference

conformance: $(READY) ## every rule of the routing table, scenario by scenario
	$(PYTEST) tests/conformance

compiled: $(READY) ## the core compiled with mypyc decides as the interpreted one does, where a C compiler is found
	$(BIN)/python -m tests.compiled

gate: $(READY) ## nothing has lost a third of its speed against what was accepted (ratios, not times)
	$(BIN)/python -m tests.bench.gate --check

integration: $(READY) ## producers to consumers on Apache Kafka, the demo, every command; without Java 17 and Maven on the embedded broker
	@$(BIN)/python -m tests.kafka.available; \
	case $$? in 0) $(PYTEST) $(PARALLEL) tests/integration --broker=kafka;; 1) $(MAKE) integration-embedded;; *) exit 2;; esac

integration-embedded: $(READY) ## the same on the embedded broker, though Apache Kafka is there
	$(PYTEST) $(PARALLEL) tests/integration -m "not kafka"

.cache/manifests/.ready: tests/manifests/requirements.txt
	$(PYTHON) -m venv .cache/manifests
	@$(call install,.cache/manifests,--require-hashes -r $<)
	@touch $@

manifests: $(READY) .cache/manifests/.ready ## Dockerfile, compose file and Kubernetes manifests are as their schemas say
	$(PYTEST) tests/manifests

locks: $(READY) ## every lock file installs with the oldest and the newest pip (asks the registry, once for each state of a file)
	$(PYTEST) tests/locks

faults: $(READY) ## workers and brokers killed, stopped and cut off on Apache Kafka: all is decided as in the replay
	@$(BIN)/python -m tests.kafka.available; \
	case $$? in 0) $(PYTEST) tests/faults;; 1) ;; *) exit 2;; esac

drill: $(READY) ## provoke what each runbook is about on Apache Kafka under Prometheus, and do as it says (20 minutes and more): DRILL_ARGS="no-progress"
	$(BIN)/python -m tests.drill $(DRILL_ARGS)

soak: $(READY) ## a long run under faults: SOAK_ARGS="--events 1000000 --kills 50 --seed 1 --workers 2"
	$(BIN)/python -m tests.faults.soak $(SOAK_ARGS)

mutation: ## change the ladder and the share in every way, and see that a test notices (half an hour and more)
	$(PYTHON) -m venv .venv-mutation
	@$(call install,.venv-mutation,--require-hashes -r tests/mutation/requirements.txt)
	.venv-mutation/bin/python -m tests.mutation

pythons: $(READY) ## unit and conformance tests on the other Pythons that are found
	$(BIN)/python -m tests.pythons

dashboards: ## write the Grafana dashboards anew from their code (an environment of its own)
	$(PYTHON) -m venv .cache/dashboards
	@$(call install,.cache/dashboards,-r deploy/grafana/requirements.txt)
	.cache/dashboards/bin/python deploy/grafana/build.py

bench: $(READY) ## measure; prints tables and writes JSON to bench-results/
	$(BIN)/python -m tests.bench

# Extras are kept: the pip of Python 3.11 looks for `coverage[toml]` by itself where only `coverage` is pinned, and takes the newest.
COMPILE := .cache/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-annotate --python-version 3.11 $(LOCK_ARGS)

lock: ## compile every lock file anew from what it is made of; versions stay (LOCK_ARGS="--upgrade": the newest)
	$(PYTHON) -m venv .cache/uv
	@$(call install,.cache/uv,uv)
	$(COMPILE) --extra dev -o requirements.lock pyproject.toml
	printf '%s\n' 'hatchling>=1.27' 'editables>=0.5' | $(COMPILE) --extra demo -c requirements.lock -o demo.lock pyproject.toml -
	$(COMPILE) -c requirements.lock -o deploy/docker/requirements.lock pyproject.toml
	echo 'hatchling>=1.27' | $(COMPILE) -c requirements.lock -o deploy/docker/build.lock -
	$(COMPILE) -o tests/manifests/requirements.txt tests/manifests/requirements.in
	$(COMPILE) -o tests/mutation/requirements.txt tests/mutation/requirements.in

sbom: .cache/manifests/.ready ## the bill of materials of the image's packages, into dist/ (CycloneDX)
	@.cache/manifests/bin/python deploy/docker/sbom.py

audit: .cache/manifests/.ready ## ask an advisory service about the image's packages (needs the internet; says so if it is not there)
	@.cache/manifests/bin/python deploy/docker/audit.py

clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache bench-results dist build .cache .venv-mutation
