"""The API of a daemon inside the test's process, for tests that send it bytes or inspect its state."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chatd.api.keys import PREFIX, Key, Scope, digest_of
from chatd.api.listener import ApiListener
from chatd.api.opening import open_api
from chatd.chat.denials import Denials
from chatd.daemon.config import Config
from chatd.daemon.floors import build
from chatd.daemon.metrics import GROUPS
from chatd.daemon.opening import Opened
from chatd.daemon.parts import Parts
from chatd.engineio.server import EngineServer
from chatd.ops.lag import LoopLag
from chatd.ops.readiness import ReadinessGate
from chatd.ops.sources import Sources
from chatd.settings.reload import Reload
from chatd.store.base import MessageId
from chatd.store.sqlite import SqliteStore

KEY: Final = PREFIX + "k" * 43
"""The key of system `bot`, with every scope; the same for a whole test process."""


def write_keys(path: Path, name: str = "bot") -> Path:
    path.write_text(Key(name, frozenset(Scope), digest_of(KEY)).line() + "\n")
    return path


def build_with_api(config: Config, store: SqliteStore, last_id: MessageId | None) -> tuple[EngineServer, ApiListener]:
    """Build both listeners on the same chat."""
    reload: Reload[Config] = Reload(lambda: config)
    floors = build(config, Opened(store, last_id), Parts(reload))
    sources = Sources(watched=floors.watched, lag=LoopLag(), gate=ReadinessGate(), reload=reload, groups=GROUPS)
    denials = Denials(config.auth, lambda auth: floors.chat.door.prepare(floors.chat.chat.namespace, auth)())
    return floors.engine, open_api(config, floors.chat, denials, sources)
