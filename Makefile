# Two commands matter: `make run` draws the first trade-off curve, `make test` runs the whole suite.
# Everything is installed into .venv beside this file, pinned by constraints.txt; a second call installs nothing.

PYTHON ?= python3
OUT ?= out/tradeoff
JOBS ?= 2
STUDIES ?= out/studies
# Studies without hypotheses, which describe: docs/results.md shows a figure of each.
DESCRIBED := strength prices phase salience magnitude bits price-instruments sensitivity discovery polities

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
CIVSIM := $(VENV)/bin/civsim
INSTALLED := pyproject.toml constraints.txt

# Compiled kernels are kept here, for every target; they are told apart by the sources they were made from.
export NUMBA_CACHE_DIR := $(CURDIR)/.numba_cache
# One thread a process: the work is spread over processes, and two libraries that both spread it get in each other's way.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

.PHONY: help run learning results validate test lint bench docs wheel wheel-check constraints mesa35 clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: $(VENV)/.run  ## play the trade-off study and draw its figure (a few minutes; resumes what is missing)
	$(CIVSIM) batch tradeoff --out $(OUT) --resume --threads $(JOBS)
	@echo "The trade-off curve and the numbers behind it:"
	@$(CIVSIM) plot tradeoff $(OUT)

learning: $(VENV)/.run  ## train, judge and report the policies of docs/learning.md (hours; resumes what is missing)
	$(PY) benchmarks/learning.py train --jobs $(JOBS)
	$(PY) benchmarks/learning.py evaluate --jobs $(JOBS)
	$(PY) benchmarks/learning.py report

results: $(VENV)/.run  ## play and judge every registered study, then rewrite docs/results.md (half an hour; resumes)
	$(CIVSIM) study --all --out $(STUDIES) --threads $(JOBS)
	$(CIVSIM) study $(DESCRIBED) --out $(STUDIES) --threads $(JOBS)
	$(PY) -m civsim.analysis.results_page $(STUDIES) docs

validate: $(VENV)/.run  ## show that the simulator and the estimators hit the known answers
	$(CIVSIM) validate --out docs/validation --threads $(JOBS)

test: $(VENV)/.test  ## run the whole suite
	$(PY) -m pytest -n $(JOBS) --dist worksteal

mesa35: $(VENV)/.test  ## run the tests of the Mesa face on Mesa 3.5 too, where there is a Python 3.12
	$(PY) tests/support/mesa35.py -q

lint: $(VENV)/.dev  ## style, formatting, and types of the installed wheel
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) tests/support/wheels.py types

bench: $(VENV)/.run  ## measure the speed of this machine
	$(CIVSIM) bench

docs: $(VENV)/.test  ## rewrite the tables of docs/model.md from the code, then build the site and check its links
	$(PY) docs/tables.py
	$(PY) -m sphinx -b html -W --keep-going -q -d out/doctrees docs out/site
	$(PY) tests/support/site_check.py out/site
	@echo "The documentation is in out/site/index.html"

wheel: $(VENV)/.dev  ## build dist/*.whl
	$(PY) -m build --wheel --no-isolation --outdir dist .

wheel-check: $(VENV)/.test  ## build the wheel and play a scenario from it in another folder
	$(PY) tests/support/wheels.py play

constraints: $(VENV)/.dev  ## pin the versions installed now
	$(PY) -m pip freeze --all --exclude civsim --exclude pip | sed 's/+cpu$$//' | sort -f > constraints.txt

clean:  ## remove what the targets made, the environment included
	rm -rf $(VENV) .numba_cache .pytest_cache .hypothesis .mypy_cache .ruff_cache build dist *.egg-info out

$(PY):
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(INSTALLED) | $(PY)
	$(PIP) setuptools wheel
	$(PIP) --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(INSTALLED) | $(PY)
	$(PIP) setuptools wheel
	$(PIP) --no-build-isolation --editable '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.dev: $(INSTALLED) | $(PY)
	$(PIP) setuptools wheel
	$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@ $(VENV)/.test $(VENV)/.run
