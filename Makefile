# The first target sets nothing up: `make` alone shows what there is.
.DEFAULT_GOAL := help

ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN ?= .venv/Scripts
else
PYTHON ?= python3
BIN ?= .venv/bin
endif
WORKERS ?= 2

STARTED := $(shell date +%s)
# What a user needs, and what a developer does.
USER_STAMP := .venv/.installed-for-use
STAMP := .venv/.installed
PYTEST = $(BIN)/python -m pytest -n $(WORKERS)

.PHONY: help setup demo test test-slow test-all test-huge test-network release-check cov lint format bench docs clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1	/'

setup: $(STAMP) ## make .venv and install imgcls with its development tools

$(USER_STAMP): pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else 'imgcls needs Python 3.11 to 3.13; name one with: make PYTHON=python3.12')"
	@echo "Installing imgcls into .venv; its libraries take minutes the first time, and 2.5 GB (TensorFlow)."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	$(BIN)/python -m compileall -q src # also where PYTHONDONTWRITEBYTECODE is set
	@touch $@

$(STAMP): $(USER_STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(USER_STAMP) ## classify the sample images, and show why
	$(BIN)/imgcls predict sample_images/
	@mkdir -p demo
	$(BIN)/imgcls heatmap sample_images/coffee.jpg -o demo/coffee.png --panel
	$(BIN)/imgcls predict sample_images/ -o demo/sample_images.html
	@echo "Look at demo/coffee.png and open demo/sample_images.html in a browser."
	@echo "All this took $$(($$(date +%s) - $(STARTED))) s."

test: $(STAMP) ## run the quick tests
	$(PYTEST)

test-slow: $(STAMP) ## run the tests marked slow (exit 5: there are none)
	$(PYTEST) -m "slow and not network" || [ $$? -eq 5 ]

test-all: ## run everything that needs no network
	$(MAKE) test
	$(MAKE) test-slow

test-huge: $(STAMP) ## compile the largest networks: minutes and up to 24 GB each
	$(BIN)/python -m pytest -n 0 -m huge

test-network: $(STAMP) ## run the tests that download real weights
	$(PYTEST) -m network

release-check: $(STAMP) ## build the package, install it where nothing else is, try it there
	$(BIN)/python .ci/release_check.py

cov: $(STAMP) ## run the quick tests and list the lines that none of them runs
	$(PYTEST) --cov=imgcls --cov-branch --cov-report=term-missing:skip-covered

lint: $(STAMP) ## check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## format the code and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## measure speed, print the table
	$(BIN)/python benchmarks/run.py

docs: $(STAMP) ## generate the command reference and the model table
	$(BIN)/python docs/generate.py

clean: ## remove what these targets made
	rm -rf .venv build demo dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
