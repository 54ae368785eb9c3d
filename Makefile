# Set-up, demo, tests and linters. Paths are relative and quoted, for the checkout's own path may have
# spaces, which make cannot handle in prerequisites.

FULCRUM := .venv/bin/fulcrum
PYTHON_IN := .venv/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test conformance lint format bench clean

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Create .venv and install the pinned packages (quick when nothing changed)
	@sh infra/bootstrap/setup.sh

demo: setup ## Run the main job on a made-up asset manager; ARGS=--no-serve ends after the summary
	@$(FULCRUM) demo $(ARGS)

up: setup ## Start PostgreSQL, the GraphQL API and Dagster
	@$(FULCRUM) up $(ARGS)

down: setup ## Stop them
	@$(FULCRUM) down $(ARGS)

test: setup ## Run every test; ARGS="-k holding" chooses
	@$(PYTHON_IN) -m pytest -n auto $(ARGS)

conformance: setup ## Let programs of others judge the GraphQL API (Node 20 or newer); ARGS="-k relay" chooses
	@CONFORMANCE=1 $(PYTHON_IN) -m pytest -n auto tests/conformance/graphql tests/conformance/test_graphql_changes.py $(ARGS)

lint: setup ## Check style, types, import layers, feed contracts and quality rules
	@$(PYTHON_IN) -m ruff check .
	@$(PYTHON_IN) -m ruff format --check .
	@$(PYTHON_IN) -m mypy
	@.venv/bin/lint-imports
	@$(PYTHON_IN) infra/lint/contracts.py
	@$(FULCRUM) quality lint

format: setup ## Rewrite the code in the house style
	@$(PYTHON_IN) -m ruff check --fix .
	@$(PYTHON_IN) -m ruff format .

bench: setup ## Measure the budgets; prints a table, keeps JSON in bench-results/
	@$(PYTHON_IN) -m tests.bench $(ARGS)

clean: ## Stop the services and delete .venv and caches; keep the state folder
	@if [ -x $(FULCRUM) ]; then $(FULCRUM) down || true; fi
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis bench-results
