# Two commands: `make` rebuilds everything, `make test` runs the tests. `make help` lists the rest.
# Of the tests there are four sizes: `make quick` while at work, `make test`, `make test-ci` at each landing with it,
# and `make test-long` before a change of what it tests is done.
#
#   make CORES=2                 no more than two cores (the default is all of them)
#   make ARGS='--dry-run'        more arguments for snakemake
#   make PYTHON=/path/to/python  the interpreter to build .venv with; envs/find-python.sh looks for one otherwise

CORES ?= all
ARGS ?=
PYTHON ?=
UV ?= uv

export PYTHON
# A user's own modules would be taken for those of the environment, a file yaml.py for PyYAML.
unexport PYTHONPATH
# The shell itself knows the folder, whatever is in its name.
IN_VENV := PATH="$$PWD/.venv/bin:$$PATH"

.DEFAULT_GOAL := all
.NOTPARALLEL:
.PHONY: all start world example set-up set-up-dev test quick test-ci test-long lint format docs quarto lock clean clean-env help

all: set-up  ## build .venv if needed, then run the whole workflow
	$(IN_VENV) snakemake --cores $(CORES) $(ARGS)

TO ?=
start: set-up  ## a folder for a meta-study of one's own: TO=path/to/folder
	$(IN_VENV) snakemake start --cores 1 --config to="$(TO)"

WORLD ?= multi_country
# Without the sensitivity analyses: item by item, a world of many settings would take hours.
world: set-up  ## the whole workflow on another simulated world: WORLD=multi_country, some_countries, coping_countries, strain_countries or null
	$(IN_VENV) python data/generator/prepare.py config/worlds/$(WORLD).yaml results/worlds/$(WORLD)
	$(IN_VENV) snakemake --cores $(CORES) --directory results/worlds/$(WORLD) $(ARGS) \
	    --config 'sensitivity={"ordinal": [], "folded": []}'

NAME ?= integrity
example: set-up  ## the whole workflow on real evidence of others: NAME=integrity, wallets or wallets_one_stage; results are in its folder
	@test -d 'examples/$(NAME)/data' || { echo "error: there is no examples/$(NAME); there are: $$(ls examples | tr '\n' ' ')" >&2; exit 2; }
	$(IN_VENV) snakemake --cores $(CORES) --directory 'examples/$(NAME)' $(ARGS)

set-up:  ## find an interpreter, build .venv from the locks; does nothing when done
	@envs/set-up.sh

set-up-dev:
	@envs/set-up.sh dev

# A file's tests stay with one worker, which builds once what they share; files that take longest come first.
PYTEST = $(IN_VENV) pytest --numprocesses auto --dist loadfile --no-loadscope-reorder
test: lint  ## lint, then all tests but those of test-ci and test-long: ARGS='tests/unit -k harmonize' for some
	$(PYTEST) $(ARGS)

quick: lint  ## lint, then the tests that build and sample nothing
	$(PYTEST) -m "not slow and not fit and not ci and not long" $(ARGS)

test-ci: set-up-dev  ## the heavy tests that each landing needs besides `make test`
	$(PYTEST) -m ci $(ARGS)

test-long: set-up-dev  ## coverage, calibration, many seeds: writes tests/long.csv, which is committed
	$(PYTEST) -m long $(ARGS)

lint: set-up-dev  ## ruff, mypy, snakefmt, the layers of the library
	$(IN_VENV) ruff check .
	$(IN_VENV) ruff format --check .
	$(IN_VENV) mypy
	$(IN_VENV) snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(IN_VENV) PYTHONPATH=workflow lint-imports --no-cache --no-logo

format: set-up-dev  ## let ruff and snakefmt rewrite what they can
	$(IN_VENV) ruff check --fix .
	$(IN_VENV) ruff format .
	$(IN_VENV) snakefmt Snakefile workflow/Snakefile workflow/rules

# Made anew each time, which takes seconds: a page that is gone leaves nothing behind.
docs: set-up-dev  ## the documentation as web pages, every link checked: site/index.html
	rm -rf site
	$(IN_VENV) sphinx-build --quiet --fail-on-warning --keep-going -c tools/docs_site -d site/.doctrees . site

quarto: set-up  ## try to install Quarto into .venv; the workflow does without it where that fails
	@envs/quarto.sh

# A lock holds hashes and no addresses, so that it serves whatever index pip is set to. `-c` keeps the versions of
# requirements.txt in the other two. Without an upgrade the pins that still fit stay: make lock ARGS=--upgrade
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url
lock:  ## resolve envs/*.in to the locks (needs uv); ARGS=--upgrade for newer versions
	cd envs && $(COMPILE) $(ARGS) requirements.in --output-file requirements.txt
	cd envs && $(COMPILE) $(ARGS) requirements-dev.in --output-file requirements-dev.txt
	cd envs && $(COMPILE) $(ARGS) build.in --output-file build.txt
	cd envs && $(COMPILE) $(ARGS) validator.in --output-file validator.txt

clean:  ## remove what the workflow and `make docs` made (not .venv and not the store of fits)
	find results -mindepth 1 ! -path results/README.md -delete
	rm -rf .snakemake site

clean-env:  ## remove .venv
	rm -rf .venv

help:  ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r target text; do \
	    printf '  make %-10s %s\n' "$$target" "$$text"; \
	done
