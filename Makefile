# One command each: `make demo` shows hotrun at work, `make test` proves it.
# Needs python3 (3.11 or newer, with venv), make and git; all else is put into .venv.

VENV := .venv
PY := $(VENV)/bin/python
# The interpreter that .venv is made from; empty: the first one that is new enough.
PYTHON ?=
ARGS ?=

# The extra `go` puts the command of that name beside Python.
WITH_VENV := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test check fmt stress bench dist clean sick

help: ## show these lines
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo "  ARGS='-k name' reaches pytest; PYTHON=python3.12 picks the interpreter"

# Ctrl-C reaches hotrun from the terminal and ends it with 130, as it should: that is no error.
# What `kill` sends to make reaches its direct child only, which hands it on.
demo: $(VENV)/.stamp-go ## make a Go web app in demo/ and run it until Ctrl-C
	@test -e demo/hotrun.toml || $(WITH_VENV) hotrun new demo -t go
	@echo "demo/ is yours: change demo/templates/index.html and save. Ctrl-C ends."
	@$(WITH_VENV) exec $(PY) -c 'import signal, subprocess, sys; \
	signal.signal(signal.SIGINT, lambda *_: None); \
	hotrun = subprocess.Popen(["hotrun", "run"], cwd="demo"); \
	signal.signal(signal.SIGTERM, lambda *_: hotrun.terminate()); \
	code = hotrun.wait(); \
	sys.exit(0 if code in (130, -signal.SIGINT) else code if code >= 0 else 128 - code)'

test: $(VENV)/.stamp-dev ## run every test but the long ones
	@$(WITH_VENV) $(PY) -m pytest -m "not stress" $(ARGS)

check: $(VENV)/.stamp-dev ## look at format, lint and types; changes nothing
	@$(PY) -m ruff format --check
	@$(PY) -m ruff check
	@$(PY) -m mypy

fmt: $(VENV)/.stamp-dev ## format the sources
	@$(PY) -m ruff check -q --select I --fix
	@$(PY) -m ruff format

stress: $(VENV)/.stamp-dev ## run the long random walks
	@$(WITH_VENV) $(PY) -m pytest -m stress $(ARGS)

bench: $(VENV)/.stamp-dev ## measure
	@$(WITH_VENV) $(PY) bench/run.py $(ARGS)

dist: $(VENV)/.stamp-build ## build the sdist, and from it the wheel, in dist/
	@$(VENV)/build/bin/python -m build --outdir dist .

clean: ## remove what make made; demo/ stays, it may hold your edits
	@if test -e $(VENV)/.made-by-make; then rm -rf $(VENV); fi
	@rm -rf $(VENV)/.stamp-* $(VENV)/build dist
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find $(wildcard hotrun tests bench) -type d -name __pycache__ -prune -exec rm -rf {} +
	@if test -e $(VENV); then echo "$(VENV) is left alone: make did not make it"; fi
	@if test -e demo; then echo "demo/ is left alone: it may hold your edits"; fi

# A venv and the interpreter that it was made from give the same answer to this.
WHO := import sys; print(sys.base_prefix, sys.version)

# Is .venv a Python that is new enough and has its packages, made in this directory (its scripts
# hold the path), and from PYTHON, if that is given?
NEW := import sys, importlib.util as has; sys.exit(sys.version_info < (3, 11) or not has.find_spec("pip"))
WORKS := { $(PY) -c '$(NEW)' 2>/dev/null && \
  { test ! -e $(VENV)/.made-by-make || test "$$(cat $(VENV)/.made-by-make)" = "$(CURDIR)"; } && \
  { test -z "$(PYTHON)" || test "$$("$(PYTHON)" -c '$(WHO)' 2>/dev/null)" = "$$($(PY) -c '$(WHO)')"; }; }

# Make .venv if it does not work. One that make did not make is not ours to remove.
define MAKE_VENV
problem() { printf 'error: %s\nhint: %s\n' "$$1" "$$2" >&2; exit 2; }

# True when $$1 will do; else why and hint say what is wrong with it.
fits() {
  hint='install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3'
  why="$$1 is not there"
  command -v "$$1" >/dev/null 2>&1 || return 1
  why="$$1 does not run"
  version=$$("$$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || return 1
  why="$$1 is Python $$version, and hotrun needs 3.11 or newer"
  "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || return 1
  hint="on Debian and Ubuntu: apt install python$${version%.*}-venv"
  why="$$1 (Python $$version) has no venv or no ensurepip"
  "$$1" -c 'import venv, ensurepip' 2>/dev/null
}

# Sets python. Of several that will not do, the first that is there tells most.
choose() {
  python="$(PYTHON)"
  if test -n "$$python"; then
    fits "$$python" || problem "$$why" "$$hint"
    return
  fi
  told='' told_hint=''
  for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if fits "$$python"; then return; fi
    case "$$told$$why" in
      *'is not there') ;;
      *) told=$${told:-$$why} told_hint=$${told_hint:-$$hint} ;;
    esac
  done
  problem "$${told:-python3 is not there}" "$${told_hint:-$$hint}"
}

if $(WORKS); then exit; fi
choose
if test -e $(VENV) && test ! -e $(VENV)/.made-by-make; then
  problem '$(VENV) does not work (or is not of that Python), and make did not make it' \
    'move it away: mv $(VENV) $(VENV).old'
fi
rm -rf $(VENV)
# First the mark: what an interruption leaves is ours to clear away, too.
mkdir $(VENV) && printf '%s\n' "$(CURDIR)" >$(VENV)/.made-by-make || exit
echo "making $(VENV) with $$python"
out=$$("$$python" -m venv $(VENV) 2>&1) || {
  printf '%s\n' "$$out" >&2
  problem "$$python -m venv failed" 'its last lines are above'
}
endef

# `sh -c "$$INSTALL" PYTHON WHAT`: pip, which is quiet as long as all goes well.
define INSTALL
echo "installing $$1 into $(VENV) (once; it may take a minute)"
out=$$("$$0" -m pip install --disable-pip-version-check --no-input "$$1" 2>&1) || {
  printf '%s\nerror: pip could not install %s\nhint: its last lines are above\n' "$$out" "$$1" >&2
  exit 1
}
endef

# A stamp says that an installation went through. It is made again when pyproject.toml is newer,
# or when .venv does not work: `sick` is then a prerequisite that is never up to date.
SICK := $(shell $(WORKS) || echo sick)

$(VENV)/.stamp-%: export MAKE_VENV := $(MAKE_VENV)
$(VENV)/.stamp-%: export INSTALL := $(INSTALL)

$(VENV)/.stamp-dev: pyproject.toml $(SICK)
	@sh -c "$$MAKE_VENV"
	@sh -c "$$INSTALL" $(PY) '-e.[dev,go]'
	@touch $(VENV)/.stamp-go $@

$(VENV)/.stamp-go: pyproject.toml $(SICK)
	@sh -c "$$MAKE_VENV"
	@sh -c "$$INSTALL" $(PY) '-e.[go]'
	@touch $@

# The tool that builds the sdist, apart from what hotrun is tested with.
$(VENV)/.stamp-build: Makefile $(SICK)
	@sh -c "$$MAKE_VENV"
	@$(PY) -m venv $(VENV)/build
	@sh -c "$$INSTALL" $(VENV)/build/bin/python 'build==1.3.0'
	@touch $@
