"""`chatd import`: stores messages from lines of JSON in a database, while no daemon runs: all of them or none.

With --keep-going, refused lines are skipped. Messages that the chat would refuse are refused. To import a file twice is
harmless: a message whose id is stored already is skipped. Messages that an admin has answered in the file become read
for all admins, unless the file has read marks. Rules C-88 and P-13 of protocol.md.
"""

# ruff: noqa: N999 - the module is named like its verb

from __future__ import annotations

import argparse
import codecs
import datetime
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from chatd.chat.messages.ids import AHEAD_MS, MAX_ID, first_id_of, parts
from chatd.cli import EXIT_FAILED, kept
from chatd.cli.arguments import add_settings, given_settings
from chatd.cli.database import SETTINGS, Database, DataError, insert, owning
from chatd.cli.keptrows import Batch
from chatd.cli.progress import Progress
from chatd.cli.rows import COLUMNS, RowError, Values, check_accepted, from_line
from chatd.daemon.config import load
from chatd.store.base import MessageId
from chatd.store.marks import EVERYBODY
from chatd.store.pruning import FORGET_LIST
from chatd.store.vouched import VOUCH_FOR_NEWEST

STDIN: Final = Path("-")

_STORED: Final = f"SELECT {COLUMNS} FROM mensajes WHERE id = ?1"  # noqa: S608

# ?1: EVERYBODY (all admins); ?2: the user whom an admin has answered; ?3: the id of the answer.
_ANSWERED: Final = """
    INSERT INTO leidos (lector, con, hasta) VALUES (?1, ?2, ?3)
    ON CONFLICT (lector, con) DO UPDATE SET hasta = excluded.hasta WHERE excluded.hasta > leidos.hasta
"""

BATCH_ROWS: Final = 1_000
"""Messages that are inserted together: PostgreSQL answers each statement over the network."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a file of chatd export; - for stdin")
    parser.add_argument(
        "--ids-ahead",
        action="store_true",
        help="accept ids that are more than a day ahead of the clock; the ids of all new messages will be greater",
    )
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="skip refused lines, print each of them, and import the others",
    )
    add_settings(parser, lambda option: option.name in SETTINGS | {"max_message"})


def run(args: argparse.Namespace) -> int:
    config = load(given_settings(args), os.environ)
    with _source(args.file) as lines, owning(config.store) as connection:
        name = "stdin" if args.file == STDIN else str(args.file)
        greatest = MAX_ID if args.ids_ahead else first_id_of(round(time.time() * 1000) + AHEAD_MS)
        importer = Importer(connection, name, greatest, config.chat.max_message_chars, keep_going=args.keep_going)
        importer.read(lines)
    refused = f", {importer.refused} refused" if importer.refused else ""
    beside = f"; {importer.kept.added} other rows" if importer.has_all else ""
    print(f"{importer.added} messages imported, {importer.skipped} were there already{refused}{beside}")
    return EXIT_FAILED if importer.refused else 0


class Importer:
    """One import: its options, and counts of lines by outcome.

    Ids above `greatest` and messages longer than `max_chars` are refused.
    """

    def __init__(
        self, connection: Database, name: str, greatest: MessageId, max_chars: int, *, keep_going: bool
    ) -> None:
        self.added = self.skipped = self.refused = 0
        self.has_all = False  # whether the file has all tables, not only messages
        self.kept = Batch(connection)
        self._connection = connection
        self._name = name
        self._greatest = greatest
        self._max_chars = max_chars
        self._keep_going = keep_going
        self._batch: list[tuple[int, Values]] = []  # with the numbers of their lines

    def read(self, lines: BinaryIO) -> None:
        """Import all lines in one transaction. Raises DataError, and what the database raises."""
        size_bytes = os.fstat(lines.fileno()).st_size
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            (was_empty,) = connection.execute("SELECT NOT EXISTS (SELECT 1 FROM mensajes)").fetchone()
            self._read_lines(lines, size_bytes)
            connection.execute(FORGET_LIST)  # it is only updated from its greatest id on, so it must be rebuilt
            if was_empty:
                connection.execute(VOUCH_FOR_NEWEST)  # the clock that made the file is unknown
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise

    def _read_lines(self, lines: BinaryIO, size_bytes: int) -> None:
        done_bytes = 0
        with Progress("importing") as bar:
            for number, line in enumerate(lines, start=1):
                try:
                    self._read_line(number, line.removeprefix(codecs.BOM_UTF8))
                except RowError as error:
                    self._store_batch()  # so that lines are refused in their order
                    self._refuse(number, error)
                if len(self._batch) == BATCH_ROWS:
                    self._store_batch()
                done_bytes += len(line)
                bar.show(done_bytes / size_bytes if size_bytes else 0.0)
            self._store_batch()
            self.kept.store()

    def _refuse(self, number: int, error: RowError) -> None:
        text = f"{self._name}:{number}: {error}"
        if not self._keep_going:
            raise DataError(f"{text}; nothing was imported") from error
        self.refused += 1
        print(text, file=sys.stderr)

    def _read_line(self, number: int, line: bytes) -> None:
        """Read one line. Blank lines are skipped, because editors leave one at the end. Raises RowError."""
        if not line.strip():
            return
        if kept.is_head(line):
            self.has_all = True
            return
        if kept.is_row(line):
            self.kept.add(kept.from_line(line))
            return
        values = from_line(line)
        check_accepted(values, self._max_chars)
        if values[0] > self._greatest:
            raise RowError(
                f"the id {values[0]} is of {_date(values[0])}, ahead of the clock, and the ids of all new "
                "messages would follow it: correct it, or take --ids-ahead"
            )
        self._batch.append((number, values))

    def _store_batch(self) -> None:
        """Store the waiting messages. Raises DataError for the first refused one, unless --keep-going is given."""
        batch, self._batch = self._batch, []
        new = set(insert(self._connection, [values for _, values in batch]))
        if not self.has_all:
            self._mark_answered(values for _, values in batch if values[0] in new)
        for number, values in batch:
            if values[0] in new:
                new.remove(values[0])
                self.added += 1
                continue
            try:
                self._compare(values)
            except RowError as error:
                self._refuse(number, error)
            else:
                self.skipped += 1

    def _mark_answered(self, new: Iterable[Values]) -> None:
        """Mark answered conversations as read. Answers of admins are the unsupervised messages."""
        answered: dict[str, int] = {}
        for number, _, para, _, _, supervised, _ in new:
            if not supervised:
                answered[para] = max(number, answered.get(para, 0))
        for con, upto in sorted(answered.items()):
            self._connection.execute(_ANSWERED, (EVERYBODY, con, upto))

    def _compare(self, values: Values) -> None:
        """Raises RowError unless exactly this message is stored."""
        found = self._connection.execute(_STORED, values[:1]).fetchone()
        if found is None:
            raise RowError(f"{values[1]} has another message with that cid")
        if found != values:
            raise RowError(f"another message has the id {values[0]}")


def _date(number: int) -> str:
    moment = datetime.datetime.fromtimestamp(parts(MessageId(number)).ms / 1000, datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _source(path: Path) -> BinaryIO:
    return sys.stdin.buffer if path == STDIN else path.open("rb")
