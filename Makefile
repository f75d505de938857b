# One command each: `make demo` shows hotrun at work, `make test` proves it.
# Needs python3 (3.11 or newer, with venv), make and git; all else is put into .venv.

VENV := .venv
PY := $(VENV)/bin/python
# The interpreter that .venv is made from; empty: the first one that is new enough.
PYTHON ?=
ARGS ?=
export PYTHON VENV

# The extra `go` puts the command of that name beside Python.
WITH_VENV := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test check fmt stress bench bench-quick dist clean sick

help: ## show these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo "  ARGS='-k name' reaches pytest; PYTHON=python3.12 picks the interpreter"

# Ctrl-C reaches hotrun from the terminal and ends it with 130, as it should: that is no error.
# What `kill` sends to make reaches its direct child only, which hands it on.
demo: $(VENV)/.stamp-go ## make a Go web app in demo/ and run it until Ctrl-C
	@test -e demo/hotrun.toml || $(WITH_VENV) hotrun new demo -t go >/dev/null
	@echo "demo/ is yours: change demo/templates/index.html and save. Ctrl-C ends."
	@$(WITH_VENV) exec $(PY) -c 'import signal, subprocess, sys; \
	signal.signal(signal.SIGINT, lambda *_: None); \
	hotrun = subprocess.Popen(["hotrun", "run"], cwd="demo"); \
	signal.signal(signal.SIGTERM, lambda *_: hotrun.terminate()); \
	code = hotrun.wait(); \
	sys.exit(0 if code in (130, -signal.SIGINT) else code if code >= 0 else 128 - code)'

# Most tests wait for a process or a clock, so there are more workers than cores.
WORKERS ?= 4

test: $(VENV)/.stamp-dev ## run every test (the long random walks are for `make stress`)
	@$(WITH_VENV) $(PY) -m pytest -m "not stress" -n $(WORKERS) --dist worksteal $(ARGS)

check: $(VENV)/.stamp-dev ## look at format, lint and types; changes nothing
	@$(PY) -m ruff format --check
	@$(PY) -m ruff check
	@$(PY) -m mypy
	@$(PY) -m mypy tests/typing/api.py

fmt: $(VENV)/.stamp-dev ## format the sources
	@$(PY) -m ruff check -q --select I --fix
	@$(PY) -m ruff format

stress: $(VENV)/.stamp-dev ## run the long random walks
	@$(WITH_VENV) $(PY) -m pytest -m stress $(ARGS)

bench: $(VENV)/.stamp-bench ## measure hotrun beside its peers, in about an hour; writes bench/RESULTS.md
	@$(WITH_VENV) $(PY) bench/run.py $(ARGS)

bench-quick: $(VENV)/.stamp-go ## measure hotrun beside the floors alone, in under two minutes
	@$(WITH_VENV) $(PY) bench/run.py --quick $(ARGS)

dist: $(VENV)/.stamp-dev ## build the sdist, and from it the wheel, in dist/
	@$(PY) -m build --outdir dist .

clean: ## remove what make made; demo/ stays, it may hold your edits
	@if test -e $(VENV)/.made-by-make; then rm -rf $(VENV); fi
	@rm -rf $(VENV)/.stamp-* dist
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find $(wildcard hotrun tests bench) -type d -name __pycache__ -prune -exec rm -rf {} +
	@if test -e $(VENV); then echo "$(VENV) is left alone: make did not make it"; fi
	@if test -e demo; then echo "demo/ is left alone: it may hold your edits"; fi

# A stamp says that an installation went through. It is made again when pyproject.toml is newer,
# or when .venv does not work: `sick` is then a prerequisite that is never up to date.
SICK := $(shell VENV='$(VENV)' PYTHON='$(PYTHON)' scripts/venv works || echo sick)

$(VENV)/.stamp-dev: pyproject.toml $(SICK)
	@scripts/venv install '-e.[dev,go]'
	@touch $(VENV)/.stamp-go $@

# Without a peer there is less to compare with, and still all to measure. Asked again after a
# change of what is wanted; `rm .venv/.stamp-bench` asks again on a machine that has more by now.
$(VENV)/.stamp-bench: pyproject.toml bench/package.json bench/prepare $(SICK)
	@scripts/venv install -e.
	@for extra in go bench; do \
	scripts/venv install "-e.[$$extra]" || echo "measuring without the extra $$extra"; done
	@bench/prepare
	@touch $@

$(VENV)/.stamp-go: pyproject.toml $(SICK)
	@scripts/venv install '-e.[go]'
	@touch $@
