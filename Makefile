# Everything one does with Ballada; `make` alone lists it. Needs Python 3.11 or newer, nothing else.
.DEFAULT_GOAL := help
.PHONY: help docs pictures run test lint format types messages bench audit shell psql clean prepare prepare-dev

PYTHON ?= python3
ARGS ?=
IN_VENV := .venv/bin/python
# The quick database server for tests; DATABASE_URL, where it is set, comes before it.
WITH_TEST_DATABASE := $(IN_VENV) -m dev.postgres --test run ballada

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  ARGS=… is handed on, for example: make test ARGS='tests/loyalty -k transfer'"

run: prepare ## Serve the cabinet with demo people; PORT and DATABASE_URL may be set
	@$(IN_VENV) -m dev.run

test: prepare ## Run the tests
	@$(WITH_TEST_DATABASE) $(IN_VENV) -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal $(ARGS)

lint: prepare-dev ## Check style, types, imports, templates, migrations and translations
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	$(IN_VENV) -m mypy
	$(IN_VENV) -c "from importlinter.cli import lint_imports_command as check; check()" --no-logo
	$(IN_VENV) -m djlint --lint --check templates
	$(WITH_TEST_DATABASE) $(IN_VENV) manage.py makemigrations --check --dry-run
	$(IN_VENV) -m dev.check_messages

format: prepare-dev ## Put the code into the common form
	$(IN_VENV) -m ruff check --fix .
	$(IN_VENV) -m ruff format .
	-$(IN_VENV) -m djlint --quiet --reformat templates

types: prepare-dev ## Check the types only
	$(IN_VENV) -m mypy $(ARGS)

messages: prepare ## Collect the texts to translate into locale/*/LC_MESSAGES/django.po (needs gettext)
	$(IN_VENV) -m dev.check_messages --collect
	@echo "Now translate what is empty or fuzzy there; 'make lint' names what is left."

docs: prepare ## Write the parts of docs/ that are made from the code
	@$(WITH_TEST_DATABASE) $(IN_VENV) -m dev.write_docs

bench: prepare ## Measure, and compare with what the machine can do
	@$(IN_VENV) -m bench $(ARGS)

audit: prepare ## Check every promise of the ledger over the whole database
	@$(IN_VENV) manage.py audit_ledger $(ARGS)

pictures: prepare-dev ## Take pictures of the pages that `make run` serves (needs Chromium); ARGS="--language en"
	@$(IN_VENV) -m dev.pictures $(ARGS)

shell: prepare ## Open a Python shell with the models
	@$(IN_VENV) manage.py shell $(ARGS)

psql: prepare ## Open psql on the database of `make run`
	@$(IN_VENV) -m dev.postgres psql ballada $(ARGS)

clean: ## Delete what was made here: the environment, both databases, caches
	@if [ -x $(IN_VENV) ]; then $(IN_VENV) -m dev.postgres drop && $(IN_VENV) -m dev.postgres --test drop; fi
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find locale -name '*.mo' -delete

prepare:
	@$(PYTHON) dev/prepare.py

prepare-dev:
	@$(PYTHON) dev/prepare.py --dev
