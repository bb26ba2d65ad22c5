# Everything starts with one of these; each makes its own virtual environment the first time.
#   make demo     a running story on an embedded broker and three real databases, under a minute
#   make test     the tests that need nothing but Python
#   make bench    how fast it is, against a program written by hand
#   make mutants  whether tests notice when a rule of the policy is changed; ARGS=core or ARGS=engine
#   make lint     ruff, mypy, import-linter
#   make install  the virtual environment alone, with everything

PYTHON ?= python3
# Handed to `erasure demo`, such as ARGS=--keep, or to pytest, such as ARGS='-k planner'.
ARGS ?=

# Four at a time (they wait for servers a good part of their time, and two cores are enough), whole
# classes and files together: each process has servers of its own. In their order, which has what
# takes long (acceptance, contract) first, and what takes nearly no time (unit) last.
PARALLEL := --numprocesses=4 --dist=loadscope --no-loadscope-reorder

VENV := .venv
comma := ,
BIN := $(VENV)/bin

.PHONY: demo test bench mutants lint install
.DELETE_ON_ERROR:

demo: $(VENV)/.installed-demo
	@$(BIN)/erasure demo $(ARGS)

test: $(VENV)/.installed-test
	@$(BIN)/python -m pytest $(PARALLEL) --ignore=tests/faults --ignore=tests/bench --ignore=tests/browser $(ARGS)
	@echo "Left out here: tests/faults and tests/browser, which .ci/run runs, and tests/bench, which make bench runs."

bench: $(VENV)/.installed-test
	@$(BIN)/python -m tests.bench $(ARGS)

mutants: $(VENV)/.installed-mutation
	@$(BIN)/python -m tests.mutants $(ARGS)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

install: $(VENV)/.installed-dev

# What is installed for which target; the file is the stamp that makes the second time fast.
# What holds more holds the rest as well.
$(VENV)/.installed-demo: EXTRAS := demo
$(VENV)/.installed-test: EXTRAS := demo,test,tracing
$(VENV)/.installed-dev: EXTRAS := demo,test,tracing,dev
$(VENV)/.installed-mutation: EXTRAS := demo,test,tracing,mutation
$(VENV)/.installed-%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing erasure-worker[$(EXTRAS)] into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $(foreach extra,$(subst $(comma), ,$(EXTRAS)),$(VENV)/.installed-$(extra))

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON); install Python 3.11 or newer, or say PYTHON=/path/to/it." >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); Python 3.11 or newer is needed." \
			"If there is one beside it, say make PYTHON=python3.12 ..." >&2; \
		exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment;" \
			"on Debian and Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; }
