# Each target does its own set-up in a fresh clone; Python 3.11 or later and make are all it takes.
#   make demo     a synthetic patient, through the pipeline, into demo-output/
#   make test     lint, types, all tests with the coverage gates
#   make quick    the fast part of the tests
#   make lint     ruff and its formatter, checking only
#   make cohort   what is left out of `make test`: synthetic patients by the dozen
#   make fuzz     structure sets damaged at random, 10,000 of them: some ten minutes
#   make bench    speed and accuracy tables
#   make matrix   how other readers see our structure sets, into docs/interop.md
#   make schema   the JSON schema of protocol files, for editors
#   make clean    everything made by the above except the environment

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test unit patients quick cohort fuzz lint types bench matrix schema clean

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3 python,\
    $(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
WORKERS ?= 2

# rt-utils asks for opencv-python, which needs libGL. So: everything else first (the headless build among it),
# then rt-utils and the project without looking at their dependencies. pyproject.toml is the only list.
LIST := import tomllib; \
    project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
    extras = project["optional-dependencies"]; \
    wanted = project["dependencies"] + extras["headless"] + extras["compressed"] + extras["fast"] + extras["dev"]; \
    print(*(line for line in wanted if not line.startswith("rt-utils")), sep="\n")

help:
	@sed -n 's/^#   //p' Makefile

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed (set PYTHON=...)" >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON): about a minute, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c '$(LIST)' > $(VENV)/requirements.txt
	$(PIP) -r $(VENV)/requirements.txt
	$(PIP) --no-deps rt-utils
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	$(BIN)/rt-targets demo --out demo-output --overwrite

test: lint types unit patients

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

# Coverage is that of the short tests: measuring it makes the long ones, of whole patients, a third longer.
unit: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not cohort" --cov --cov-report=term
	$(BIN)/coverage report --include='pipeline/core/*' --fail-under=100

patients: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "slow and not cohort"

quick: setup
	HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q -m "not slow and not cohort"

cohort: setup
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m cohort

fuzz: setup
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -q tests/read/test_fuzz.py

bench: setup
	$(BIN)/python -m tests.benchmarks

# Each reader with the pydicom that it was written for, away from our environment: about 2 GB, once.
READERS := .venv-readers
READER_PIP := bin/python -m pip install --quiet --disable-pip-version-check

$(READERS)/.set-up:
	$(PYTHON) -m venv $(READERS)/new
	$(READERS)/new/$(READER_PIP) DicomRTTool==6.2.0
	$(PYTHON) -m venv $(READERS)/old
	$(READERS)/old/$(READER_PIP) dcmrtstruct2nii==5 platipy==0.7.2 'pydicom<3'
	@touch $@

matrix: setup $(READERS)/.set-up
	$(BIN)/python -m tests.interop.matrix

schema: setup
	$(BIN)/python -c 'from pipeline.read.protocol_schema import protocol_schema, schema_path; \
	    schema_path().write_text(protocol_schema(), encoding="utf-8")'

clean:
	rm -rf build dist demo-output htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name $(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
