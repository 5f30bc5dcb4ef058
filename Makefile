# Everything a contributor or a CI job runs; `make` alone lists it.
# Variables: PYTHON (3.11 or later), VENV, CONSTRAINTS, GROUP (dev or test), PYTEST_FLAGS.

PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
# Two workers take a third off the time on two cores; a single test is quicker with -n 0.
PYTEST_FLAGS ?= -n 2
GROUP ?= dev

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS)
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.dev-ready

# The linters call each other (actionlint runs shellcheck), so their folder comes first.
export PATH := $(abspath $(BIN)):$(PATH)
# Building the project follows the pins too: pip up to 25.2 reads the first, later ones the second.
export PIP_CONSTRAINT := $(abspath $(CONSTRAINTS))
export PIP_BUILD_CONSTRAINT := $(abspath $(CONSTRAINTS))
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(READY) ## Play the whole story on an emulated server.
	$(BIN)/planops demo

.PHONY: test
test: lint types unit ## Run the whole gate: lint, types, tests with their coverage.

# The project's own, and those that `planops init` writes.
WORKFLOWS := .github/workflows/*.yml src/planops/starter/github*/*.yml

.PHONY: lint
lint: $(DEV_READY) ## Check style, workflows, shell scripts and schemas.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/shellcheck .ci/run .github/actions/planops/act
	$(BIN)/actionlint -no-color $(WORKFLOWS)
	$(BIN)/zizmor --offline --no-progress --quiet --collect=all .github .pre-commit-hooks.yaml $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci src/planops/starter/gitlab/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --check-metaschema schemas/*.schema.json

.PHONY: types
types: $(DEV_READY) ## Check types.
	$(BIN)/mypy

# Long walks and whole matrices cover nothing that the other tests do not: measuring them would
# take half as long again.
LONG := tests/conformance tests/contract tests/crash tests/histories \
	tests/attribution/test_attribution_histories.py tests/run/test_run_generated.py \
	$(wildcard tests/run/test_run_*theorem.py)

.PHONY: unit
unit: $(DEV_READY) ## Run the tests; core and render must be covered to the last branch.
	$(BIN)/pytest --cov --cov-report= $(PYTEST_FLAGS) $(addprefix --ignore=,$(LONG))
	$(BIN)/pytest $(PYTEST_FLAGS) $(LONG) || test $$? = 5 # none is left where they were narrowed
	$(BIN)/coverage report --fail-under=95
	$(BIN)/coverage report --fail-under=100 --include='*/planops/core/*,*/planops/render/*'

.PHONY: bench
bench: $(DEV_READY) ## Measure; prints ratios, fails nothing.
	@for bench in tests/bench/bench_*.py; do echo "$$bench"; $(BIN)/python "$$bench" || exit 1; done

.PHONY: clean
clean: ## Remove what the other targets made.
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.planops-demo build dist
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is too old or missing: name a Python 3.11 or later by PYTHON=" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A virtual environment's python is a link whose own date is old, so it is an order-only need.
$(READY): pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	$(INSTALL) --editable '.[sandbox]'
	@touch $@

# --group came with pip 25.1, and Debian 12 has 23.0.
$(DEV_READY): $(READY)
	$(INSTALL) --upgrade pip
	$(INSTALL) --group $(GROUP)
	@touch $@
