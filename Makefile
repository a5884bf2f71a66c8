# Everything a person runs; `make help` explains each target.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3.11
READY := $(VENV)/.ready
PEERS := .venv-bench

.PHONY: help setup run up test crashtest soaktest fuzztest mutants check format lock bench integrity clean

help: ## explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv from the lock (uv where it is there, else pip)

$(READY): requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" VENV="$(VENV)" scripts/setup
	@touch $@

run: setup ## run one night offline on the sandbox exchange
	@$(BIN)/nightjar nightly --venue sandbox

up: setup ## start the Prefect server, its UI, the deployments and a worker
	@$(BIN)/nightjar up

test: setup ## run the tests
	@$(BIN)/python -m pytest -n auto --dist worksteal

crashtest: setup ## kill the store thousands of times, and fail each of its calls (over an hour)
	@$(BIN)/python -m tests.storage.crash --kills 2000 --faults -1 $(CRASH)

soaktest: setup ## let 4 processes write and 16 read one store for a minute
	@$(BIN)/python -m tests.storage.soak $(SOAK)

fuzztest: setup ## send 200,000 hostile rows and 20,000 hostile files to a store (a quarter of an hour)
	@$(BIN)/python -W ignore -m tests.storage.fuzz $(FUZZ)

mutants: setup ## read 100,000 wrong answers of all providers (ten minutes)
	@$(BIN)/python -m tests.sources.mutants $(or $(MUTANTS),100000)

check: setup ## check format, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: setup ## format, and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: ## resolve the dependencies anew into requirements.lock (needs uv)
	@rm -f requirements.lock
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate pyproject.toml --group dev -o requirements.lock

bench: setup $(PEERS)/.ready ## measure the engine beside others, on one core
	@$(BIN)/python -m benchmarks $(BENCH)

integrity: setup ## count how often luck gets through, and how often an edge is found
	@$(BIN)/python -m benchmarks.integrity $(INTEGRITY)

$(PEERS)/.ready: benchmarks/peers/requirements.lock
	@PYTHON="$(PYTHON)" VENV="$(PEERS)" benchmarks/peers/setup
	@touch $@

clean: ## remove the environment and the caches (never the data)
	@rm -rf $(VENV) $(PEERS) .pytest_cache .ruff_cache .mypy_cache .hypothesis
