# One command per need; CI runs the same ones. Each target makes what it needs first, on a machine that has Python
# 3.11 or newer with venv, git and make.

PYTHON ?= python3
ARGS ?=
JOBS ?= 2
FOLDER ?= screenshots
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test attack coverage check format docs screenshots bench soak build assets browser clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: .venv/.runs ## Start the console with a demo of six real clients; ARGS="--port 9000" adds options
	$(BIN)/switchroom serve --demo 6 $(ARGS)

# What a person sees within a time is not looked at beside other work. Status 5 is "nothing was chosen", by ARGS.
test: .venv/.develops browser ## Run every test, two files at a time, then the browser's; ARGS="-k broadcast" adds options
	$(BIN)/python -m pytest --numprocesses $(JOBS) -m "not browser" $(ARGS) || test $$? = 5
	$(BIN)/python -m pytest -m browser $(ARGS) || test $$? = 5

attack: .venv/.develops ## Attack a fresh server from outside, and print what was tried and what came back
	$(BIN)/python -m pytest -q tests/security $(ARGS)

coverage: .venv/.develops ## Run the tests that need no browser and break nothing, with branch coverage
	$(BIN)/python -m coverage run -m pytest -m "not browser and not fault" $(ARGS)
	$(BIN)/python -m coverage report

check: .venv/.develops ## Check format, lint and types (mypy and pyright, both strict)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

format: .venv/.develops ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: .venv/.develops ## Write docs/configuration.md from the settings
	$(BIN)/python docs/write_configuration.py

screenshots: .venv/.develops browser ## Take a picture of every page and dialog; FOLDER=somewhere, ARGS="sessions keys" for some of them
	$(BIN)/python -m docs.take_screenshots $(FOLDER) $(ARGS)

bench: .venv/.develops ## Measure against the bare SDK, in under ten minutes; writes docs/benchmarks.md
	$(BIN)/pip install --quiet --editable ".[dev,bench]"
	$(BIN)/python -m bench $(ARGS)

soak: .venv/.develops ## Ten minutes at full load with random kills; says what was lost and how memory grew
	$(BIN)/python -m bench.soak $(ARGS)

build: .venv/.builds ## Build the sdist and the self-contained wheel into dist/
	rm -rf dist
	$(BIN)/python -m build -q --outdir dist .

assets: .venv/.exists ## Build static/vendor/ from npm, if it is stale
	$(BIN)/python build_backend/npm_assets.py

browser: ## Install Chromium and Firefox for the browser tests, where they are missing
	@missing=""; \
	command -v chromium >/dev/null || missing="chromium"; \
	command -v firefox-esr >/dev/null || command -v firefox >/dev/null || missing="$$missing firefox-esr"; \
	test -z "$$missing" && exit 0; \
	test "$$(id -u)" = 0 && command -v apt-get >/dev/null || { \
	  echo "The browser tests drive Chromium and Firefox: install them with your system's packages (Debian: apt install $$missing)." >&2; exit 1; }; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null

clean: ## Remove what the targets above made
	rm -rf .venv .cache build dist static/vendor *.egg-info .mypy_cache .pytest_cache .ruff_cache .coverage

# An editable install follows the code by itself; it is made again when the packaging changes.
PACKAGING := pyproject.toml package-lock.json $(wildcard build_backend/*.py)

.venv/.exists:
	@$(PYTHON) -c 'import sys; sys.exit("Switchroom needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	@touch $@

# Missing assets are built by the install, which also finds an npm where the machine has none.
static/vendor/.stamp: ;

.venv/.runs: .venv/.exists static/vendor/.stamp $(PACKAGING)
	$(BIN)/pip install --quiet --editable .
	@touch $@

.venv/.develops: .venv/.exists static/vendor/.stamp $(PACKAGING)
	$(BIN)/pip install --quiet --editable ".[dev]"
	@touch $@ .venv/.runs

.venv/.builds: .venv/.exists
	$(BIN)/pip install --quiet build
	@touch $@
