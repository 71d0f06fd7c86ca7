# Two commands do all the set-up on a machine with Python 3.11 or later, pip, venv and make:
#   make soak    a headless soak against the embedded staging environment, with verdict and report
#   make test    the test suite
# `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Size of a soak: users, users started a second, and how long.
USERS ?= 20
RATE ?= 10
TIME ?= 60s
# More of Locust's or chatsoak's own options, e.g. OPTIONS="--shape spike --processes 2"
OPTIONS ?=
# More of pytest's options, e.g. PYTEST="-k monitor -x"
PYTEST ?=

.DEFAULT_GOAL := help
.PHONY: help soak web test test-long test-oracles test-soaks mutate bench check lint types fix lock clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 14) else \
	  f"chatsoak needs Python 3.11 to 3.14, and $(PYTHON) is {sys.version.split()[0]}: run make PYTHON=python3.12, say.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.soak: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing chatsoak into $(VENV) (a minute, once)"
	$(PIP) --constraint constraints.txt --editable '.[staging]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing chatsoak and its tests into $(VENV) (a minute or two, once)"
	$(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.soak

soak: $(VENV)/.soak ## soak the embedded staging environment: USERS=20 RATE=10 TIME=60s
	$(BIN)/locust -f locustfiles/chat.py --headless --only-summary \
	  --users $(USERS) --spawn-rate $(RATE) --run-time $(TIME) $(OPTIONS)

web: $(VENV)/.soak ## open Locust's web page, ready to start a soak
	$(BIN)/locust -f locustfiles/chat.py $(OPTIONS)

test: $(VENV)/.dev ## run the test suite, but for what takes long; a worker for each processor
	$(BIN)/python -m pytest -m "not long and not thousands and not soaks" -n logical --maxprocesses 4 $(PYTEST)

test-long: $(VENV)/.dev ## run the tests that take long, among them the adversary
	$(BIN)/python -m pytest -m long $(PYTEST)

test-oracles: $(VENV)/.dev ## compare each checker with its oracle about thousands of histories (half an hour and more)
	$(BIN)/python -m pytest -m thousands tests/analysis/checks $(PYTEST)

test-soaks: $(VENV)/.dev ## soak ten minutes with a hundred users: as it is, with two load processes, with PostgreSQL killed twice
	$(BIN)/python -m pytest -m soaks tests/adversary/test_ten_minutes.py $(PYTEST)

mutate: $(VENV)/.dev ## put mistakes into the checkers: do the tests and the adversary notice? (two hours; every third: MUTATIONS=3)
	$(BIN)/python tests/mutate.py adversary
	$(BIN)/python tests/mutate.py checkers $(MUTATIONS)

bench: $(VENV)/.dev ## measure side by side with peers, print the tables
	$(BIN)/python -m benchmarks

check: lint types ## lint and types; edits nothing

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

fix: $(VENV)/.dev ## format, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.dev ## renew constraints.txt from pyproject.toml, for every Python we support
	$(PIP) uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
	  --no-emit-package chatsoak --no-annotate --custom-compile-command "make lock" pyproject.toml -o constraints.txt

clean: ## remove the environment and caches; reports stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
