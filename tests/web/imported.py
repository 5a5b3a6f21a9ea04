"""A daemon whose database was filled by `chatd import`."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bench.ports import free_port
from chatd.chat.messages.ids import EPOCH_MS, NODE_BITS, SEQUENCE_BITS
from tests.chat.people import SECRET
from tests.interop import processes
from tests.interop.processes import ROOT, Server, running


def id_at(ms: int) -> str:
    """The first id of that millisecond."""
    return str((ms - EPOCH_MS) << (NODE_BITS + SEQUENCE_BITS))


def question(user: str, text: str, ms: int) -> dict[str, object]:
    """What `user` wrote to the desk in that millisecond, as import takes it."""
    return {"id": id_at(ms), "de": user, "para": "soporte", "supervisado": True, "mensaje": text, "fecha": ms}


@contextlib.contextmanager
def serving_imported(folder: Path, lines: Iterable[Mapping[str, object]], *flags: str) -> Iterator[Server]:
    secret_file, file, database = folder / "secret", folder / "lines", folder / "chat.db"
    secret_file.write_text(SECRET)
    secret_file.chmod(0o600)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    subprocess.run([sys.executable, "-m", "chatd", "import", "--db", database, file], cwd=ROOT, check=True)
    port = free_port()
    with running(processes.chat_command(port, database, secret_file, *flags), port, folder / "log") as started:
        yield started
