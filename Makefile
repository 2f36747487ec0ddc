# What one does with this project. Each target makes .venv first when it is missing or the lock has
# changed. Another Python: make PYTHON=/path/to/python3.12 demo

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
# Dagster's checker sends no telemetry and needs no instance.
DG := env -u DAGSTER_HOME DAGSTER_DISABLE_TELEMETRY=1 VIRTUAL_ENV="$(CURDIR)/$(VENV)" \
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dg
SNAPSHOT_TESTS := grader_pipeline_tests/test_definitions.py \
	grader_pipeline_tests/reports/test_reports_page.py -k "definition_graph or the_page_is_what"

.PHONY: help demo dev test test-hosts snapshot pictures lint bench lock

help:
	@echo "make demo   load a week of sample days end to end, and show what came of it"
	@echo "make dev    serve the Dagster UI on http://127.0.0.1:3000; of the demo, if no API is set or"
	@echo "            with ARGS=--demo"
	@echo "make test   run all tests; ARGS='-k mail' for some, ARGS='-m quick' for those of a minute,"
	@echo "            ON=wheel for all on the built package"
	@echo "make test-hosts  try several hosts on this machine: a worker on each of three. As root"
	@echo "make snapshot  renew the snapshot of the definitions, after a change that is meant, and"
	@echo "            docs/reports.md, after a change of sql/reports"
	@echo "make pictures  make the pictures of docs/ anew, of the demo in Chromium"
	@echo "make lint   check style, types, formatting and that Dagster can load the definitions"
	@echo "make bench  measure speed and memory"
	@echo "make lock   lock the newest versions that pyproject.toml allows, and those of the image"

# After Ctrl+C (130), make ends by the same signal. It would print an error of the command first. The
# trap lets the shell wait for the command.
UNLESS_INTERRUPTED = || [ $$? = 130 ]

demo: $(INSTALLED)
	@trap : INT; $(BIN)/grader-pipeline demo $(UNLESS_INTERRUPTED)

dev: $(INSTALLED)
	@trap : INT; $(BIN)/grader-pipeline dev $(ARGS) $(UNLESS_INTERRUPTED)

# Files in the order of conftest.py: the slowest first.
test: $(INSTALLED)
	$(BIN)/python -m $(if $(ON),grader_pipeline_tests.$(ON),pytest) -n logical --dist loadfile \
		--no-loadscope-reorder $(ARGS)

# As root: it makes network namespaces. Needs iproute2 and redis-server.
test-hosts: $(INSTALLED)
	$(BIN)/python -m $(if $(ON),grader_pipeline_tests.$(ON),pytest) grader_pipeline_tests/hosts $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(DG) check toml
	$(DG) check defs

snapshot: $(INSTALLED)
	RENEW_SNAPSHOT=1 $(BIN)/python -m pytest -q $(SNAPSHOT_TESTS)
	git diff --stat -- grader_pipeline_tests/snapshots docs/reports.md

pictures: $(INSTALLED)
	$(BIN)/python -m grader_pipeline_tests.browser.pictures
	git diff --stat -- docs

bench: $(INSTALLED)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.txt --group bench
	$(BIN)/python -m benchmarks $(ARGS)

lock: $(INSTALLED)
	$(LOCK) pyproject.toml --group dev --all-extras --upgrade --output-file requirements.txt
	$(LOCK_PART) pyproject.toml --all-extras --output-file requirements-runtime.txt
	$(LOCK_PART) --group build --output-file requirements-build.txt

LOCK = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --quiet --custom-compile-command "make lock"
# What the image installs, in the versions of requirements.txt.
LOCK_PART = $(LOCK) --constraint requirements.txt --no-annotate

# Shows one line for pip's hundreds: how far it is. If pip fails, its lines are shown.
define SHOW_PROGRESS
import sys
packages = sum("==" in line for line in open("requirements.txt"))
lines, count = [], 0
for line in sys.stdin:
    lines.append(line)
    step = ""
    if line.startswith("Collecting "):
        count += 1
        step = f"Fetching {count} of about {packages} packages"
    elif line.startswith("Installing "):
        step = f"Installing {count} packages"
    if step and sys.stdout.isatty():
        print(end=f"\r{step:60}", flush=True)
if not any(line.startswith("Successfully installed ") for line in lines):
    sys.exit("\n" + "".join(lines))
print(f"\rInstalled {count} packages{'':40}")
endef
export SHOW_PROGRESS

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
	@echo "Installing the packages of requirements.txt, which takes a minute or more"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile --require-hashes \
		--progress-bar off -r requirements.txt 2>&1 | $(BIN)/python -c "$$SHOW_PROGRESS"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps \
		--no-build-isolation --editable .
	@echo "Compiling the packages"
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	@touch $@
