# Two commands: `make course` runs the course, `make test` proves it. `make help` lists the others.
.DEFAULT_GOAL := help
.PHONY: help course test lab slides site soak test-browser scores
.DELETE_ON_ERROR:

# The first Python that fits; `make PYTHON=/path/to/python3.12 course` chooses another.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	if $$p -c '$(FITS)' 2>/dev/null; then echo $$p; break; fi; done)
VENV ?= .venv
BIN  := $(VENV)/bin
NB   ?=
DECK ?=

help:
	@echo "make course        set up, render the songbook, run every notebook, make a page to listen from"
	@echo "make test          set up, then every check and every notebook; make test NB=01 for one"
	@echo "make lab           set up, then open the notebooks in JupyterLab"
	@echo "make slides        decks as HTML with sound and as PDF, each slide checked; make slides DECK=03"
	@echo "make site          notebooks, decks and results as pages that play, each looked at"
	@echo "make soak          the long tests: kills, fuzzing at full number"
	@echo "make test-browser  players and widgets in Chromium"
	@echo "make scores        rebuild data/scores from music21"

$(VENV)/.done: requirements.txt constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed (python3 here:" \
		"$$(python3 --version 2>&1)); install one, or name it: make PYTHON=... course" >&2; exit 2; }
	@"$(PYTHON)" -c '$(FITS)' 2>/dev/null || { echo "PYTHON=$(PYTHON) is not" \
		"Python 3.11, 3.12 or 3.13" >&2; exit 2; }
	@echo "Setting up $(VENV) (about a minute, once) ..."
	@"$(PYTHON)" -m venv $(VENV) || { echo "No venv for $(PYTHON): on Debian and Ubuntu," \
		"apt install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt -c constraints.txt
	@$(BIN)/course doctor --fix || echo "Going on all the same; mind the advice above."
	@touch $@

course: $(VENV)/.done
	@$(BIN)/course data
	@$(BIN)/course run

# One thread for each of two workers; all cells of a notebook go to the same worker, in order.
test: export OMP_NUM_THREADS = 1
test: $(VENV)/.done
ifeq ($(NB),)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -n 2 --dist loadfile
else
	@ls notebooks/$(NB)_*.ipynb >/dev/null 2>&1 || { echo "No notebook '$(NB)'; there are:" \
		"$$(ls notebooks | grep -o '^[0-9][0-9]*[a-z]*' | tr '\n' ' ')" >&2; exit 2; }
	@$(BIN)/python -m pytest notebooks/$(NB)_*.ipynb
endif

lab: $(VENV)/.done
	@# Committed players play only in trusted notebooks.
	@$(BIN)/jupyter trust notebooks/*.ipynb >/dev/null
	@$(BIN)/jupyter lab notebooks

slides: $(VENV)/.done
	@$(BIN)/python -m slides.build $(DECK)

site: $(VENV)/.done
	@$(BIN)/python -m website.build

soak: $(VENV)/.done
	@$(BIN)/python -m pytest tests -m soak

test-browser: $(VENV)/.done
	@$(BIN)/python -m pytest tests -m browser

scores: $(VENV)/.done
	@$(BIN)/python -m pip install -q -e '.[builder]' -c constraints.txt
	@$(BIN)/python scripts/build_scores.py
