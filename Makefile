# The ways into the project. `make demo` and `make test` need nothing but make and a Python of
# version 3.11 or later; everything else is installed into .venv.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if command -v $$name >/dev/null 2>&1 \
	&& $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then command -v $$name; break; fi; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV ?= uv
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test check bench soak lock clean

help:
	@echo 'make demo    three nodes on this machine and a story they live (PORT=number ARGS=…);'
	@echo '             with DATA=folder one node on files of your own'
	@echo 'make test    all tests'
	@echo 'make setup   the command, at $(BIN)/isthmus'
	@echo 'make check   style, types, order of areas'
	@echo 'make bench   every published figure'
	@echo 'make soak    long fault runs'
	@echo 'make lock    the lockfiles anew (needs uv)'
	@echo 'make clean   removes what was installed and made'

# -- installing -------------------------------------------------------------------------------

setup: $(VENV)/setup.stamp

setup-dev: $(VENV)/setup-dev.stamp

$(BIN)/python:
	@if [ -z '$(PYTHON)' ]; then \
		echo 'Isthmus needs Python 3.11 or later, and there is none on the PATH.' >&2; \
		echo 'Install one, or name it: make PYTHON=/path/to/python3.12 …' >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
		f"Isthmus needs Python 3.11 or later; $(PYTHON) is {v[0]}.{v[1]}.")'
	@echo 'making $(VENV) with $(PYTHON)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'This Python cannot make virtual environments.' >&2; \
		echo 'On Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }

$(VENV)/setup.stamp: $(BIN)/python requirements.lock pyproject.toml
	@echo 'installing what Isthmus needs'
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/setup-dev.stamp: $(VENV)/setup.stamp requirements-dev.lock
	@echo 'installing what the tests need'
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# -- running ----------------------------------------------------------------------------------

demo: setup
	@$(BIN)/isthmus demo $(if $(DATA),--data '$(DATA)',--story) $(if $(PORT),--port $(PORT)) $(ARGS)

test: setup-dev
	@if command -v chromium >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
		echo 'installing chromium for the browser tests'; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq -y --no-install-recommends chromium >/dev/null; } \
		|| echo 'chromium could not be installed: the browser tests are skipped'; \
	else echo 'there is no chromium: the browser tests are skipped'; fi
	@$(BIN)/pytest -n auto --dist loadfile $(ARGS)

check: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

soak: setup-dev
	ISTHMUS_KILLS=500 $(BIN)/pytest tests/faults $(ARGS)
	ISTHMUS_KILLS=1000 $(BIN)/pytest tests/federation/test_kill.py $(ARGS)
	$(BIN)/python bench/exchange.py catch-up --items 1000000
	ISTHMUS_DECISIONS=1000000 $(BIN)/pytest tests/agreements/test_decide.py $(ARGS)
	ISTHMUS_LEAKS=2000 $(BIN)/pytest tests/agreements/test_no_leak.py $(ARGS)

# -- keeping ----------------------------------------------------------------------------------

# uv resolves for every Python from 3.11 on; no registry's name is written into the files.
lock:
	@command -v $(UV) >/dev/null 2>&1 || { echo 'make lock needs uv: pip install uv' >&2; exit 1; }
	$(LOCK) --extra postgresql --group build -o requirements.lock pyproject.toml
	$(LOCK) --extra postgresql --extra blind --group dev -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) demo-node build dist screenshots .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
