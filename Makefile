# Two commands matter: `make run` and `make test`. Both set up what they need; `make help` lists the rest.
PYTHON ?=
PORT ?= 8000
HOST ?= 127.0.0.1
ARGS ?=
export PYTHON PORT HOST

bin := .venv/bin/python
beside_servers := $(bin) -m dynosite.localserver.throwaway

.DEFAULT_GOAL := help
.PHONY: help run test test-fast bench lint measure format requirements environment environment-dev clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: environment ## start everything on this machine (PORT=8000 HOST=127.0.0.1); Ctrl-C stops it
	@DYNOSITE_MODE=local exec $(bin) manage.py up

test: environment-dev ## run every check and every test (ARGS= goes to pytest)
	@deploy/browser.sh
	@DYNOSITE_MODE=test exec $(beside_servers) deploy/test.sh $(ARGS)

test-fast: environment-dev ## the quick tests of rules, models, selectors and services (ARGS= goes to pytest)
	@DYNOSITE_MODE=test exec $(beside_servers) deploy/test-fast.sh $(ARGS)

bench: environment-dev ## measure against the floors (ARGS= names one benchmark)
	@DYNOSITE_MODE=test exec $(beside_servers) deploy/bench.sh $(ARGS)

lint: environment-dev ## style, templates, imports and types
	@deploy/lint.sh

measure: environment-dev ## figures of the code beside their aims (ARGS=--check fails, ARGS=--lower lowers the list)
	@$(bin) -m measures $(ARGS)

format: environment-dev ## put the code in shape
	@$(bin) -m ruff check --fix .
	@$(bin) -m ruff format .
	@$(bin) -m djlint --quiet --warn --reformat templates

requirements: environment-dev ## pin again what pyproject.toml asks for
	@deploy/pin.sh

clean: ## remove what was built or installed; the data under .local stays
	@rm -rf .venv staticfiles .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment:
	@deploy/environment.sh requirements.txt

environment-dev:
	@deploy/environment.sh requirements.txt deploy/requirements-dev.txt
