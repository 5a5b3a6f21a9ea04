"""Modules that the daemon does not import. Each test runs in its own process, because imports cannot be undone."""

from __future__ import annotations

import subprocess
import sys

import pytest


def said(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.strip()


DIGESTS = """
import sys
from chatd.base.lean import import_digests
{first}
import_digests()
import hashlib, hmac
print("_hashlib" in sys.modules, hmac.new(b"Jefe", b"what do ya want for nothing?", "sha256").hexdigest()[:16],
      hashlib.sha1(b"abc").hexdigest()[:16], hmac.compare_digest(b"a", b"b"))
"""


def test_digests_are_right_without_openssl() -> None:
    """RFC 4231, section 4.3; RFC 3174, section 7.3"""
    assert said(DIGESTS.format(first="")) == "False 5bdcc146bf60754e a9993e364706816a False"


def test_a_process_that_has_openssl_keeps_it() -> None:
    assert said(DIGESTS.format(first="import hashlib")).startswith("True 5bdcc146bf60754e ")


def test_a_hollow_module_can_be_subclassed_twice_and_is_removed_afterwards() -> None:
    code = """
import sys
from chatd.base.lean import hollow
with hollow("wsgiref.simple_server", "A", "B"):
    from wsgiref.simple_server import A, B
    class Both(A, B): pass
print("wsgiref.simple_server" in sys.modules)
from wsgiref.simple_server import WSGIServer
"""
    assert said(code) == "False"


@pytest.mark.parametrize("module", ["http.server", "ssl", "wsgiref.simple_server", "prometheus_client.metrics"])
def test_metrics_do_not_import_the_servers_of_prometheus_client(module: str) -> None:
    code = f"""
import sys
import chatd.ops.exposition
print({module!r} in sys.modules)
"""
    light = code.replace(
        "import chatd.ops", "from chatd.base.lean import absent\nwith absent('ssl'): import asyncio\nimport chatd.ops"
    )
    assert said(light) == "False"


def test_msgspec_does_not_import_typing_extensions() -> None:
    assert (
        said("import sys, chatd.daemon.app; print('typing_extensions' in sys.modules, 'msgspec' in sys.modules)")
        == "False True"
    )


def test_a_daemon_on_sqlite_imports_nothing_of_postgresql() -> None:
    """P-01"""
    code = """
import asyncio, sys, tempfile
from chatd.cli.serve import run
import chatd.daemon.app
from chatd.store.choose import make_store
from chatd.store.config import StoreConfig
async def main(folder):
    store = make_store(StoreConfig(db=f"{folder}/chatd.db"))
    await store.open()
    await store.close()
with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
print([name for name in sys.modules if "asyncpg" in name or "postgres" in name])
"""
    assert said(code) == "[]"


def test_a_daemon_without_a_bus_imports_nothing_of_the_cluster() -> None:
    """N-01, N-30"""
    code = """
import asyncio, sys, tempfile
from chatd.cli.serve import run
import chatd.daemon.app
from chatd.auth.config import AuthConfig
from chatd.daemon.config import Config
from chatd.daemon.floors import build
from chatd.daemon.opening import Opened
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore
async def main(folder):
    auth = AuthConfig(jwt_secret="a secret of forty-two characters, exactly..")
    config = Config(auth=auth, store=StoreConfig(db=f"{folder}/chatd.db"))
    store = SqliteStore(config.store)
    build(config, Opened(store, await store.open()))
    await store.close()
with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
print([name for name in sys.modules if any(part in name for part in ("cluster", "nodes", "neighbours", "hiredis"))])
"""
    assert said(code) == "[]"


def test_a_daemon_without_an_api_imports_nothing_of_it() -> None:
    """A-01, W-01: except its settings."""
    code = """
import sys
import chatd.cli.serve, chatd.daemon.app
print(sorted(name for name in sys.modules if name.startswith(("chatd.api", "chatd.webhooks", "chatd.notify"))))
"""
    assert said(code) == "['chatd.api', 'chatd.api.config']"


def test_a_daemon_without_an_identity_provider_imports_nothing_of_one() -> None:
    """J-01"""
    code = """
import sys
import chatd.cli.serve, chatd.daemon.app
from chatd.auth import AuthConfig, load_keys
load_keys(AuthConfig(jwt_secret="a secret of forty-two characters, exactly.."))
print([name for name in sys.modules if "jwks" in name or "provided" in name])
"""
    assert said(code) == "[]"


def test_metrics_of_parts_that_are_off_do_not_import_the_parts() -> None:
    code = """
import sys
from chatd.daemon.metrics import METRICS
rooms = ("chatd.auth.jwks.", "chatd.chat.n", "chatd.cluster.", "chatd.store.", "chatd.team.", "chatd.webhooks.")
print(sorted(name for name in sys.modules if name.startswith(rooms) and "metrics" not in name))
"""
    assert said(code) == "['chatd.chat.neighbours', 'chatd.chat.nodes']"
