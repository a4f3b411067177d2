# Two commands: `make demo` and `make test`. Each does all its own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install -c constraints.txt
SHAPE ?=

.PHONY: setup demo test test-all lint bench

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing (a few minutes the first time) ..."
	@$(PIP) torch
	@$(PIP) -e '.[dev]'
	@$(BIN)/isofield doctor --warm
	@touch $(STAMP)

demo: setup
	@$(BIN)/isofield demo $(SHAPE)

test: setup
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m coverage run -m pytest -n 2 -m "not slow"
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report --skip-covered --fail-under=90

test-all: setup
	@$(BIN)/python -m pytest

lint: setup
	@$(BIN)/ruff check isofield tests benchmarks
	@$(BIN)/ruff format --check isofield tests benchmarks
	@$(BIN)/mypy isofield
	@for room in isofield/*/; do \
	  printf '%6d lines  %s\n' "$$(find $$room -name '*.py' -o -name '*.js' -o -name '*.css' -o -name '*.html' | xargs cat | wc -l)" "$$room"; \
	done

bench: setup
	@$(PIP) -e '.[bench]'
	@for script in benchmarks/bench_*.py; do $(BIN)/python $$script --write || exit 1; done
	@$(BIN)/python benchmarks/bench_images.py --quarter --write
	@$(BIN)/python benchmarks/bench_scenes.py --surface --write
	@$(BIN)/python benchmarks/bench_scenes.py --slow --write
