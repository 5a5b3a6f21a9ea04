"""`chatd replies`: prints the canned replies of a team as JSON, or imports them from a file. Rule D-15."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from chatd.base.errors import RefusedError
from chatd.chat.events import EventCode, parse_text
from chatd.cli.database import DataError, add_database, configured, reading, require_newest, writing
from chatd.team.replies import MAX_REPLIES, MAX_REPLY_CHARS, parse_shortcut

_ALL: Final = "SELECT atajo, texto FROM respuestas ORDER BY atajo"
_COUNT: Final = "SELECT count(*) FROM respuestas"
_PUT: Final = """
    INSERT INTO respuestas (atajo, texto, de, fecha) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (atajo) DO UPDATE SET texto = excluded.texto, de = excluded.de, fecha = excluded.fecha
"""
_BY: Final = "chatd replies"


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    """One canned reply in a file."""

    atajo: str
    texto: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--import",
        dest="file",
        type=Path,
        metavar="FILE",
        help="import the replies in FILE, in the format of this verb; a reply replaces one with the same shortcut",
    )
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    config = configured(args)
    if args.file is None:
        with reading(config) as connection:
            require_newest(connection)
            found = [Reply(*row) for row in connection.execute(_ALL).fetchall()]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
        return 0
    replies = _read(args.file)
    fecha = time.time_ns() // 1_000_000
    with writing(config) as connection:
        require_newest(connection)
        for reply in replies:
            connection.execute(_PUT, (reply.atajo, reply.texto, _BY, fecha))
        [count] = connection.execute(_COUNT).fetchone()
    print(
        f"{len(replies)} replies imported; the team has {count} now. Admins who are connected see them when they load"
    )
    return 0


def _read(file: Path) -> list[Reply]:
    """The replies in a file, checked by the rules of the chat. Raises DataError and OSError."""
    try:
        replies = msgspec.json.decode(file.read_bytes(), type=list[Reply])
        for reply in replies:
            parse_shortcut(reply.atajo)
            parse_text(reply.texto, "texto", EventCode.TEXTO_INVALID, MAX_REPLY_CHARS)
    except (msgspec.MsgspecError, UnicodeDecodeError, RefusedError) as error:
        raise DataError(f"{file}: {error}") from error
    if len(replies) > MAX_REPLIES:
        raise DataError(f"{file}: {len(replies)} replies; a team has {MAX_REPLIES} at most")
    return replies
