# Two commands do everything on a fresh machine with Python >= 3.11: `make run` and `make test`.
PYTHON ?= python3
BENCH ?=
TESTS ?=
SHOTS ?=
DAY ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
SHELL := /bin/bash
.DEFAULT_GOAL := help

.PHONY: help venv dev run test cover check image dashboards chart check-chart compiled test-compiled test-cluster test-observability test-clients test-page bench day evaluate-router lock clean

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

venv: $(VENV)/.runtime ## Make .venv with `pointsman` in it, from the hash-locked lock file.

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Pointsman needs Python 3.11 or newer; say PYTHON=/path/to/python3 make ..." >&2; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements-build.lock requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing what Pointsman needs (requirements.lock)"
	@$(PIP) --require-hashes -r requirements-build.lock
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "installing what the tests need (requirements-dev.lock)"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

dev: $(VENV)/.dev ## As venv, with everything that tests and checks need.

run: venv ## Run gateway and monitor here; simulated providers stand in where no provider key is set.
	@$(BIN)/pointsman run

SPREAD := -n auto --maxprocesses 4 --dist loadfile

test: dev ## All tests that need nothing but this machine (under five minutes).
	@$(BIN)/python -m pytest $(SPREAD)

check: dev ## Linters, types, import contracts, sizes.
	@$(BIN)/ruff check gateway monitor loadtest tests scripts
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest tests/architecture

cover: dev ## Branch coverage of the pure floors, which must be whole.
	@$(BIN)/python -m pytest $(SPREAD) tests/core tests/formats tests/flow tests/learned \
	  --cov=gateway.core --cov=gateway.formats --cov=gateway.learned --cov-branch --cov-fail-under=100 --cov-report=term-missing:skip-covered

image: dev ## The image of the Dockerfile without a Docker engine, as an OCI archive (needs root).
	@$(BIN)/python -m scripts.image

dashboards: dev ## What is made from scripts/observability: Grafana dashboards, Prometheus rules and alerts.
	@$(BIN)/python -m scripts.observability.made

chart: dev ## What is made from the Helm chart: values.schema.json, its README.md, deploy/manifests.
	@scripts/chart/tools.sh helm helm-docs && $(BIN)/python -m scripts.chart.made

check-chart: dev ## The Helm chart: lint, its unit tests, schemas of three Kubernetes minors, kube-score, checkov, drift.
	@$(BIN)/python -m scripts.chart.check

test-cluster: dev ## The end-to-end tests, on a real Kubernetes that is started and ended here (needs root).
	@$(BIN)/python -m tests.cluster $(TESTS)

test-observability: dev ## A real Prometheus on the real gateway and monitor under traffic (needs the program prometheus).
	@POINTSMAN_TEST_PROMETHEUS=1 $(BIN)/python -m pytest -rs tests/prometheus tests/observability $(TESTS)

test-clients: dev ## Real clients (Python, Node, Claude Code, Codex) against the gateway; installed beside the clone.
	@$(BIN)/python -m tests.clients $(TESTS)

test-page: dev ## The pages in a real Chromium: accessibility, keyboard, policy; SHOTS=docs/images makes screenshots.
	@$(BIN)/python -m tests.page $(if $(SHOTS),--shots $(SHOTS)) $(TESTS)

BUILT := build/compiled

compiled: dev ## The package in build/compiled with the modules of a request's path compiled, as the image has them.
	@echo "compiling to $(BUILT): two minutes, one where little has changed"
	@rm -rf $(BUILT)
	@POINTSMAN_COMPILE=build/native $(PIP) --no-build-isolation --target $(BUILT) .

test-compiled: dev ## The tests of a request's path on the compiled package; compiles first where sources have changed.
	@$(BIN)/python -m loadtest.bench.compiled || $(MAKE) --no-print-directory compiled
	@$(BIN)/python -m pytest $(SPREAD) -o pythonpath="$(BUILT) ." tests/core tests/flow tests/formats tests/upstream tests/web

bench: dev ## CPU per request and per event, beside nginx in the same run; compiles first where sources have changed.
	@$(BIN)/python -m loadtest.bench.compiled || $(MAKE) --no-print-directory compiled
	@$(BIN)/python -m loadtest.bench $(BENCH)

day: dev ## A scripted day in two minutes: judged pairs, certificates, cheaper routing, a model that gets worse, the alarm.
	@$(BIN)/python -m loadtest.day $(DAY)

evaluate-router: dev ## How good the learned classifier is. EVAL=FILE.parquet: on those prompts; WRITE=PAGE.md; DATA=DIR.
	@$(BIN)/python -m scripts.router.evaluate $(if $(DATA),--data $(DATA)) $(if $(EVAL),--eval $(EVAL)) $(if $(WRITE),--write $(WRITE))

COMPILE := $(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --upgrade

lock: dev ## Resolve all lock files anew.
	@echo "setuptools>=77" | $(COMPILE) - -o requirements-build.lock
	@$(COMPILE) --extra postgresql pyproject.toml -o requirements.lock
	@$(COMPILE) --extra dev pyproject.toml -o requirements-dev.lock
	@printf 'mypy>=2.4\nsetuptools>=77\n' | $(COMPILE) -c requirements-build.lock -c requirements-dev.lock - -o requirements-compile.lock
	@for kind in clients aider; do $(COMPILE) tests/clients/python/$$kind.in -o requirements-$$kind.lock; done

clean: ## Remove what the targets above made.
	@rm -rf $(VENV) .state .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
