# What one does with this project. Each target makes .venv first when it is missing or the lock has
# changed. Another Python: make PYTHON=/path/to/python3.12 demo

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))

.PHONY: help demo dev test lint bench lock

help:
	@echo "make demo   load a week of sample days end to end, and show what came of it"
	@echo "make dev    serve the Dagster UI on http://127.0.0.1:3000"
	@echo "make test   run all tests; ARGS='-k mail' for some"
	@echo "make lint   check style, types and formatting"
	@echo "make bench  measure speed and memory"
	@echo "make lock   lock the newest versions that pyproject.toml allows"

demo: $(INSTALLED)
	@$(BIN)/grader-pipeline demo

dev: $(INSTALLED)
	@$(BIN)/grader-pipeline dev $(ARGS)

test: $(INSTALLED)
	$(BIN)/python -m pytest $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(INSTALLED)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.txt --group bench
	$(BIN)/python -m benchmarks $(ARGS)

lock: $(INSTALLED)
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-strip-extras --no-emit-index-url --quiet \
		--custom-compile-command "make lock" --output-file requirements.txt

# A folder that was moved, or whose Python is gone, is made anew.
ifneq ($(shell $(BIN)/python -c "print('runs')" 2>/dev/null),runs)
.PHONY: $(INSTALLED)
endif

$(INSTALLED): requirements.txt pyproject.toml
	@for python in $(PYTHONS); do \
		$$python -c "$(FITS)" 2>/dev/null && break; python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo "This needs Python 3.11 to 3.14 with its venv module; tried: $(PYTHONS)." >&2; \
		echo "Install one (on Debian: apt install python3 python3-venv), or name it:" >&2; \
		echo "make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version)"; \
	$$python -m venv --clear $(VENV)
	@echo "Installing the packages of requirements.txt"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile --require-hashes \
		-r requirements.txt
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps \
		--no-build-isolation --editable .
	@echo "Compiling the packages"
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	@touch $@
