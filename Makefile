# Two commands matter: `make book` builds the site, `make test` runs every check. `make help` lists the rest.
# Each installs what it needs, into .venv-site (no torch) or .venv (everything), and again when a list of requirements changes.

PYTHON ?= python3
PORT ?= 8000
CONSTRAINTS ?= constraints.txt
REQUIREMENTS := requirements.txt $(CONSTRAINTS) $(wildcard requirements/*)

.DEFAULT_GOAL := help
.PHONY: help book serve notebooks test clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-12s%s\n", $$1, $$2 }'

book: .venv-site/installed ## Build the site into _build/html (no cell is run)
	@rm -rf .build
	@.venv-site/bin/jupyter-book build . --path-output .build -W --keep-going --quiet >/dev/null
	@rm -rf _build && mv .build/_build _build && rmdir .build # the last good site stays until there is a better one
	@echo "The site is built. Open $(CURDIR)/_build/html/index.html in a browser, or run: make serve"

serve: book ## Build the site and serve it on this machine
	@.venv-site/bin/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

notebooks: .venv/installed ## Derive notebooks, exercises, solutions and scratch; runs what changed
	@.venv/bin/python -m derive

test: .venv/installed .venv-site/installed ## Run every check
	@requirements/chromium.sh
	.venv/bin/python -m derive --check
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	OMP_NUM_THREADS=1 .venv/bin/pytest --nbval -n 2 --dist loadscope

clean: ## Remove what was built and installed
	rm -rf _build .build .venv .venv-site .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv-site/installed: $(REQUIREMENTS)
	@requirements/install.sh $(PYTHON) .venv-site requirements/site.txt $(CONSTRAINTS)

.venv/installed: $(REQUIREMENTS)
	@requirements/install.sh $(PYTHON) .venv requirements.txt $(CONSTRAINTS)
