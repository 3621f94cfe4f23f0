# Every target makes what it needs first, the environment in .venv included.

PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
READY := .venv/.ready
BOOK := _build/html/.built

# .venv/.ready holds the folder that the environment was made for. An environment that was moved
# here, that lost its Python, or whose making was interrupted does not say so: it is made anew.
ifneq ($(shell test -x $(BIN)/python && $(BIN)/python -c "print(open('$(READY)').read())" 2>&1),$(CURDIR))
NEW_VENV := $(PYTHON) -m venv --clear .venv
.PHONY: $(READY)
endif

define HAVE_PYTHON
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11" \
		"to 3.14, or name the one to use: make PYTHON=/path/to/python …"; exit 1; }
endef

# What the site is made from: its pages, and the docstrings and tests that the equation index reads.
SITE := $(shell find _config.yml _toc.yml assignments book chapters classroom cliplab tests -type f \
	-not -path '*/.*' -not -path '*/__pycache__/*')

# One thread each: two threads on a busy machine are slower, and results differ in the last digit.
NBVAL := -p tests.kernels --nbval --nbval-cell-timeout 300 --nbval-sanitize-with tests/sanitize.cfg
ifdef CLIPLAB_SKIP_BROWSER
PAGES := --ignore tests/pages
endif

.PHONY: help book pdf check test lab notebooks offline graders emoji words miniature clean browser

help:  ## say this
	@sed -n 's/^\([a-z]*\):.*## /make \1@/p' Makefile | awk -F@ '{printf "%-16s %s\n", $$1, $$2}'

book: $(BOOK)  ## build the book; it opens in any browser, with no network
	@echo "The book is ready: open _build/html/index.html"

pdf: browser $(BOOK)  ## print the whole course into one PDF
	@$(BIN)/python tools/pdf.py

check: $(READY)  ## the quick checks: rules, form, types, scripts, spelling, links
	@$(BIN)/python tools/check.py

# Files of tests are dealt out in this order, the pages first: they last longest, chapters least.
test: browser $(READY)  ## build the book and test everything: code, notebooks, pages
	@$(MAKE) --no-print-directory --jobs 2 check book
	@OMP_NUM_THREADS=1 CLIPLAB_REQUIRE_BROWSER=1 $(BIN)/python -m pytest \
		-n 2 --dist loadfile --no-loadscope-reorder $(NBVAL) $(PAGES) \
		tests chapters coursework book/questions.ipynb

lab: $(READY)  ## open JupyterLab on the chapters
	@# JupyterLab draws stored figures only in notebooks that are trusted.
	@$(BIN)/jupyter trust chapters/*.ipynb > /dev/null
	@$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) chapters

notebooks: $(READY)  ## run what the site shows and store its outputs in normal form
	@$(BIN)/python tools/notebooks.py

offline: $(BOOK)  ## write one archive for a room with no network (PACKAGES=1: all packages too)
	@$(BIN)/python tools/offline.py $(if $(PACKAGES),--packages)

graders: $(READY)  ## every assignment through nbgrader, otter and the own grader (needs a network)
	@OMP_NUM_THREADS=1 $(BIN)/python tools/graders/roundtrip.py $(if $(ROUNDS),--rounds $(ROUNDS))

emoji:  ## build the emoji data again from the public packages (needs Node and a network)
	@mkdir -p _build/emoji && cp tools/emoji/package.json _build/emoji
	@cd _build/emoji && npm install --silent --no-audit --no-fund && $(PYTHON) -m venv venv
	@_build/emoji/venv/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0 resvg-py==0.5.0
	@_build/emoji/venv/bin/python tools/emoji/build.py _build/emoji/node_modules cliplab/assets/emoji

words: $(READY)  ## build the word vectors again from the public package (needs Node and a network)
	@mkdir -p _build/words && cp tools/words/package.json _build/words
	@cd _build/words && npm install --silent --no-audit --no-fund
	@$(BIN)/python tools/words/build.py _build/words/node_modules cliplab/assets/words

# A student's first run, eleven others whose seeds and image encoders differ, and what all twelve
# teach it. If a run is stopped, resume it by hand (--resume OUT) and give the commands after it.
TRAIN := OMP_NUM_THREADS=1 $(BIN)/python -m cliplab.train --threads 1 --data emoji+shapes
TEACHERS := mini mini-1 coffee-1 vit-1 mini-2 coffee-2 vit-2 mini-3 coffee-3 vit-3 mini-4 coffee-4
miniature: $(READY)  ## train the miniature CLIP again: thirteen runs, about eight hours of one core
	@$(TRAIN) --preset mini --out runs/mini
	@for seed in 1 2 3 4; do \
		$(TRAIN) --preset coffee --seed $$seed --out runs/coffee-$$seed && \
		$(TRAIN) --preset mini --steps 1000 --seed $$seed --out runs/mini-$$seed || exit 1; done
	@for seed in 1 2 3; do \
		$(TRAIN) --preset mini --model mini-vit --lr 1e-3 --steps 1000 --seed $$seed \
			--out runs/vit-$$seed || exit 1; done
	@$(TRAIN) --preset taught --from runs/mini/model --teachers $(TEACHERS:%=runs/%/model) --out runs/taught
	@$(BIN)/python tools/clip_mini.py runs/taught

clean:  ## remove the book and all caches; .venv stays
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

$(READY): requirements.txt constraints.txt pyproject.toml
ifdef NEW_VENV
	$(HAVE_PYTHON)
	@$(PYTHON) tools/doctor.py python
	@echo "Making the environment in .venv: about 2 GB, some minutes the first time."
	@$(NEW_VENV)
endif
	@rm -f $@
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-r requirements.txt -c $(CONSTRAINTS) -e . || { echo "The packages could not be" \
		"installed (see above). The first run needs a network; then run make again."; exit 1; }
	@printf '%s\n' "$(CURDIR)" > $@

$(BOOK): $(READY) $(SITE)
	@rm -rf _build/html
	@$(BIN)/jupyter-book build . -W -n --keep-going --all --quiet
	@touch $@

browser:
ifdef CLIPLAB_SKIP_BROWSER
	@echo "CLIPLAB_SKIP_BROWSER is set: the page tests are left out."
else
	$(HAVE_PYTHON)
	@$(PYTHON) tools/doctor.py browser
endif
