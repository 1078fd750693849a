# Needs Python >= 3.11 and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests start hundreds of processes, each of which would otherwise compile all modules again.
unexport PYTHONDONTWRITEBYTECODE
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test test-long parity docs site bench mutation packages release lint js clean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/installed-fast  ## run the worked examples; demo/index.html shows them
	$(BIN)/fallline demo --out demo
	@echo "Open $$(pwd)/demo/index.html"

# Coverage makes tests take half as long again, so it is measured only in CI, and checked after test-long.
test: $(VENV)/installed-test  ## run the tests and doctests
	$(BIN)/python -m pytest -n auto $(if $(CI),--cov --cov-report= --cov-fail-under=0)

test-long: $(VENV)/installed-test  ## run the other cases, and the long tests: campaigns, kills, the whole demonstration
	$(BIN)/python -m pytest -n auto -m "long or more" $(if $(CI),--cov --cov-append)

parity: $(VENV)/installed-test,parity  ## compare with torch, keras, optax and jax (installs gigabytes)
	$(BIN)/python -m pytest tests/parity -m ""

docs: $(VENV)/installed-test,parity  ## rewrite docs/findings.md, and docs/conventions.md, measured against the libraries
	$(BIN)/python -m website.findings
	$(BIN)/python -m tests.parity

site: $(VENV)/installed-docs  ## build the site into build/site, running the code that makes its pictures
	$(BIN)/python -m website
	@echo "The site is at $$(pwd)/build/site/index.html"

bench: $(VENV)/installed-fast,cluster,films,parquet,bench,parity  ## run all benchmarks; writes docs/performance.md (minutes; needs gcc)
	$(BIN)/python -m benchmarks.page

# For instance `make mutation ROOM="optimizers 500"`: 500 changes drawn by chance.
mutation: $(VENV)/installed-test,parity,mutation  ## change a room's code bit by bit: which changes do the tests notice? (ROOM=stopping; an hour)
	$(BIN)/python -m tests.mutation $(ROOM)

packages: $(VENV)/installed-test,release  ## build the wheel and the sdist, and try each extra in an empty environment (gigabytes)
	$(BIN)/python -m pytest tests/packages -m ""

# Whoever builds the same commit gets the same bytes. The bill of materials tells what the wheel needs.
release: $(VENV)/installed-test,release  ## build what is published into dist/: wheel, sdist, and their bill of materials
	rm -rf dist build/wheel
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv build/wheel
	build/wheel/bin/python -m pip install -qq -c constraints.txt dist/*.whl
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file dist/fallline.cdx.json build/wheel

lint: $(VENV)/installed-test,lint  ## check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

js: js/node_modules/.package-lock.json  ## check, test and build the explorer's front end (needs Node 18 or newer, and npm)
	cd js && npm run --silent types && npm run --silent lint && npm run --silent test && npm run --silent check

js/node_modules/.package-lock.json: js/package.json js/package-lock.json
	cd js && npm ci --ignore-scripts --silent
	@touch $@

clean:  ## remove .venv, the demo's results and every cache
	rm -rf $(VENV) js/node_modules demo build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp file for each set of extras: they are installed again when pyproject.toml or constraints.txt has changed.
$(VENV)/installed-%: pyproject.toml constraints.txt | $(VENV)/created
	@echo "Installing fallline[$*] into $(VENV) ..."
	@$(INSTALL) -e '.[$*]'
	@touch $@

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Fallline needs Python 3.11 or newer, and $(PYTHON) is older or missing."; \
		echo "Name another one, for instance: make demo PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@
