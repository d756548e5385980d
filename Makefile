# Two commands matter: `make book` builds the site, `make test` runs every check. `make help` lists the rest.
# Each installs what it needs, into .venv-site (no torch), .venv (everything) or .venv-nbgrader (nbgrader beside everything), and again
# when a list of requirements changes.

PYTHON ?= python3
PORT ?= 8000
CONSTRAINTS ?= constraints.txt
REQUIREMENTS := requirements.txt $(CONSTRAINTS) $(wildcard requirements/*)

.DEFAULT_GOAL := help
.PHONY: help book serve zip notebooks test nbgrader bench layers audit screenshots clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-12s%s\n", $$1, $$2 }'

book: .venv-site/installed ## Build the site into _build/html (no cell is run)
	@rm -rf .build
	@.venv-site/bin/jupyter-book build . --path-output .build -W --keep-going --quiet >/dev/null
	@rm -rf _build && mv .build/_build _build && rmdir .build # the last good site stays until there is a better one
	@echo "The site is built. Open $(CURDIR)/_build/html/index.html in a browser, or run: make serve"

serve: book ## Build the site and serve it on this machine
	@.venv-site/bin/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

zip: book ## Build the site and pack it, as pytorch-layer-by-layer.zip beside its pages, for those who read offline
	@cd _build && rm -rf pytorch-layer-by-layer && ln -s html pytorch-layer-by-layer \
		&& $(PYTHON) -m zipfile -c offline.zip pytorch-layer-by-layer && mv offline.zip html/pytorch-layer-by-layer.zip
	@rm _build/pytorch-layer-by-layer

notebooks: .venv/kernels ## Derive notebooks, exercises, solutions and scratch; runs what changed
	@.venv/bin/python -m derive

test: .venv/kernels .venv-site/installed ## Run every check
	@requirements/chromium.sh
	.venv/bin/python -m derive --check
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	OMP_NUM_THREADS=1 .venv/bin/pytest --nbval --nbval-kernel-name warm -n 2 --dist loadscope

nbgrader: .venv-nbgrader/installed ## Take every exercise through nbgrader itself
	OMP_NUM_THREADS=1 .venv-nbgrader/bin/python -m pytest tests/nbgrader -n 2 --dist loadgroup

bench: .venv-nbgrader/installed ## Measure how long grading takes, beside nbgrader and plain nbval (let nothing else run)
	.venv-nbgrader/bin/python -m benchmarks.grading

layers: .venv/installed ## Measure what each layer costs beside torch's, into book/data (let nothing else run)
	.venv/bin/python -m benchmarks.layers

screenshots: book .venv/installed ## Photograph the site for the README
	@requirements/chromium.sh
	@.venv/bin/python -m book.figures.screenshots

audit: book .lighthouse/installed ## Weigh the site and let Lighthouse score it, into benchmarks/site-audit.json (let nothing else run)
	@requirements/chromium.sh
	@.venv-site/bin/python -m benchmarks.site_audit

clean: ## Remove what was built and installed
	rm -rf _build .build .venv .venv-site .venv-nbgrader .lighthouse .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv-site/installed: $(REQUIREMENTS)
	@requirements/install.sh $(PYTHON) .venv-site requirements/site.txt $(CONSTRAINTS)

.venv/installed: $(REQUIREMENTS)
	@requirements/install.sh $(PYTHON) .venv requirements.txt $(CONSTRAINTS)

.venv/kernels: .venv/installed $(wildcard warmkernel/*.py)
	@.venv/bin/python -m warmkernel install >$@

.lighthouse/installed: requirements/lighthouse.sh
	@requirements/lighthouse.sh .lighthouse

# nbgrader brings fifty packages that nothing else needs: they stand in an environment of their own, on top of .venv.
.venv-nbgrader/installed: .venv/kernels requirements/nbgrader.txt
	@echo "Installing requirements/nbgrader.txt into .venv-nbgrader ..."
	@.venv/bin/python -m venv --clear .venv-nbgrader
	@.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$$(.venv-nbgrader/bin/python -c \
		'import sysconfig; print(sysconfig.get_path("purelib"))')/course.pth"
	@.venv-nbgrader/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/nbgrader.txt -c $(CONSTRAINTS)
	@.venv-nbgrader/bin/python -m warmkernel install >$@
