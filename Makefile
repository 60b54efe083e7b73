# fenliu: `make help` lists what there is. Python 3.11 or later and make are all that is needed beforehand.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help env demo test lint types unit conformance compiled gate integration integration-kafka faults soak mutation pythons dashboards manifests bench lock locks sbom audit clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(READY) ## make the environment (.venv) from the hashed lock file

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "fenliu needs Python 3.11 or later: install it, or say make PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## run everything once: embedded broker, topics, simulated shops, a worker, a summary
	@$(BIN)/fenliu demo $(DEMO_ARGS)

test: lint types locks unit conformance compiled gate integration integration-kafka manifests faults ## everything that must hold: lint, types, all tests, no loss of speed

lint: $(READY) ## ruff and the import linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY) ## mypy --strict
	$(BIN)/mypy

unit: $(READY) ## unit tests and properties
	$(PYTEST) tests/unit tests/reference

compiled: $(READY) ## compile the core with mypyc, where a C compiler is found, and test it like the interpreted one
	$(BIN)/python -m tests.compiled

gate: $(READY) ## fail if something has lost a third of its speed against what was accepted (ratios, not times)
	$(BIN)/python -m tests.bench.gate --check

conformance: $(READY) ## every rule of the routing table, scenario by scenario
	$(PYTEST) tests/conformance

integration: $(READY) ## producers to consumers on the embedded broker
	$(PYTEST) tests/integration -m "not kafka"

integration-kafka: $(READY) ## the same on Apache Kafka, where Java 17 and Maven are found (with CI set they must be)
	@$(BIN)/python -m tests.kafka.available; \
	case $$? in 0) $(PYTEST) tests/integration --broker=kafka;; 1) ;; *) exit 2;; esac

faults: $(READY) ## kill, stop and cut off workers and brokers on Apache Kafka, and compare with the replay
	@$(BIN)/python -m tests.kafka.available; \
	case $$? in 0) $(PYTEST) tests/faults;; 1) ;; *) exit 2;; esac

soak: $(READY) ## a long run under faults: SOAK_ARGS="--events 1000000 --kills 50 --seed 1 --workers 2"
	$(BIN)/python -m tests.faults.soak $(SOAK_ARGS)

mutation: ## change the ladder and the share in every way, and see that a test notices (half an hour and more)
	$(PYTHON) -m venv .venv-mutation
	.venv-mutation/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/mutation/requirements.txt
	.venv-mutation/bin/python -m tests.mutation

pythons: $(READY) ## unit and conformance tests on the other Pythons that are found
	$(BIN)/python -m tests.pythons

dashboards: ## write the Grafana dashboards anew from their code (an environment of its own)
	$(PYTHON) -m venv .cache/dashboards
	.cache/dashboards/bin/python -m pip install --quiet --disable-pip-version-check -r deploy/grafana/requirements.txt
	.cache/dashboards/bin/python deploy/grafana/build.py

.cache/manifests/.ready: tests/manifests/requirements.txt
	$(PYTHON) -m venv .cache/manifests
	.cache/manifests/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

manifests: $(READY) .cache/manifests/.ready ## Dockerfile, compose file and Kubernetes manifests against their schemas
	$(PYTEST) tests/manifests

bench: $(READY) ## measure; prints tables and writes JSON to bench-results/
	$(BIN)/python -m tests.bench

# Extras are kept: the pip of Python 3.11 looks for `coverage[toml]` by itself where only `coverage` is pinned, and takes the newest.
COMPILE := .cache/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links --no-annotate --python-version 3.11 $(LOCK_ARGS)

lock: ## compile every lock file anew from what it is made of; versions stay (LOCK_ARGS="--upgrade": the newest)
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(COMPILE) --extra dev -o requirements.lock pyproject.toml
	$(COMPILE) -c requirements.lock -o deploy/docker/requirements.lock pyproject.toml
	echo 'hatchling>=1.27' | $(COMPILE) -c requirements.lock -o deploy/docker/build.lock -
	$(COMPILE) -o tests/manifests/requirements.txt tests/manifests/requirements.in
	$(COMPILE) -o tests/mutation/requirements.txt tests/mutation/requirements.in

locks: $(READY) ## install every lock file, for show, with the oldest and the newest pip (asks the registry, once for each state)
	$(PYTEST) tests/locks

sbom: .cache/manifests/.ready ## the bill of materials of the image's packages, into dist/ (CycloneDX)
	@.cache/manifests/bin/python deploy/docker/sbom.py

audit: .cache/manifests/.ready ## ask an advisory service about the image's packages (needs the internet; says so if it is not there)
	@.cache/manifests/bin/python deploy/docker/audit.py

clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache bench-results dist build .cache .venv-mutation
