# Two commands: `make demo` and `make test`. Each does all its own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SHAPE ?=

.PHONY: setup demo test test-all lint bench

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/isofield doctor --warm
	@touch $(STAMP)

demo: setup
	@$(BIN)/isofield demo $(SHAPE)

test: setup
	@$(BIN)/python -m pytest -n 2 -m "not slow" --cov-report= $(TESTFLAGS)

test-all: setup
	@rm -f .coverage .coverage.*
	@COVERAGE_PROCESS_START=pyproject.toml $(BIN)/python -m coverage run -m pytest
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report --skip-covered --sort=cover --fail-under=90

lint: setup
	@$(BIN)/ruff check isofield tests benchmarks
	@$(BIN)/ruff format --check isofield tests benchmarks
	@$(BIN)/mypy isofield
	@for room in isofield/*/; do printf '%6d lines  %s\n' "$$(cat $$(find $$room -name '*.py' -o -name '*.js' -o -name '*.css' -o -name '*.html' | grep -v __pycache__) | wc -l)" "$$room"; done

bench: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done
