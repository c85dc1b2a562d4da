# Two commands on a fresh machine: make demo, make test. Both set up what they need.
# Tests run against the built wheel, on the oldest and the newest supported Python that this machine has.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src -type f -name '*.py') pyproject.toml constraints.txt

.PHONY: help demo test lint bench clean

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

$(BIN)/.ready: pyproject.toml constraints.txt
	$(PYTHON) .ci/environment.py $(VENV) --editable --groups test lint
	@touch $@

demo: $(BIN)/.ready  ## run the example agent, and read its run record
	@$(BIN)/python examples/coding_agent

test: $(SOURCES)  ## set up and run every test, against the built wheel, on the oldest and newest Python
	$(PYTHON) .ci/test.py

lint: $(BIN)/.ready  ## ruff, strict typing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing

bench: $(BIN)/.ready  ## what the instrumentation costs, beside the raw SDK
	$(BIN)/python benchmarks/sdk_overhead.py

clean:  ## remove what the targets above have made
	rm -rf $(VENV) .venv-* build dist .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis
