"""`chatd webhook`: positions of webhooks, replay of events that were set aside, and test events. Rules W-02, W-08.

It uses only the database, so a daemon may run meanwhile. `list` and `replay` also work for mailboxes ([[notify]]).
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import functools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from chatd.chat.messages.ids import MAX_NODE, SEQUENCE_BITS
from chatd.cli import EXIT_FAILED
from chatd.cli.arguments import UsageError, given_settings
from chatd.cli.database import Database, add_database, reading, require_newest, writing
from chatd.cli.tables import print_table
from chatd.daemon.config import load
from chatd.notify.config import Notify
from chatd.notify.opening import PREFIX
from chatd.store.base import Message
from chatd.store.config import StoreConfig
from chatd.store.positions import WHOLE, Position, encode
from chatd.team.casesql import is_of_desk
from chatd.webhooks.config import Webhook
from chatd.webhooks.courier import GONE
from chatd.webhooks.events import Event, trial
from chatd.webhooks.memory import LOAD, SWITCH, key_of, standing_of
from chatd.webhooks.opening import made
from chatd.webhooks.tool import Sender

_ASIDE: Final = "SELECT id FROM ganchos_apartados WHERE clave = ?1 ORDER BY id"
_FORGET: Final = "DELETE FROM ganchos_apartados WHERE clave = ?1 AND id = ?2"
_KEPT: Final = "SELECT evento, con, cuerpo FROM ganchos_guardados WHERE clave = ?1 ORDER BY evento"
_FORGET_KEPT: Final = "DELETE FROM ganchos_guardados WHERE clave = ?1 AND evento = ?2"
_TELL_AGAIN: Final = """
    UPDATE ganchos_esperas SET avisado = 0
    WHERE clave = ?1 AND con IN (SELECT con FROM ganchos_guardados WHERE clave = ?1)
"""
_FORGET_ALL_KEPT: Final = "DELETE FROM ganchos_guardados WHERE clave = ?1"
_MESSAGE: Final = "SELECT id, de, para, mensaje, fecha, supervisado FROM mensajes WHERE id = ?1"
_BEHIND: Final = f"""
    SELECT count(*) FROM mensajes AS m
    WHERE id > ?1 AND (?2 = {WHOLE} OR ((id >> {SEQUENCE_BITS}) & {MAX_NODE}) = ?2) AND (supervisado = 1 OR ?3 = 1)
    AND (?4 = 1 OR (supervisado = 1 AND NOT {is_of_desk("m.de")}))
"""  # noqa: S608 - only constants are inserted
_UNTOLD: Final = "SELECT count(*) FROM ganchos_esperas WHERE clave = ?1 AND avisado = 0 AND fecha <= ?2"
_CASES: Final = "SELECT count(*) FROM ganchos_casos WHERE clave = ?1"

_HEAD: Final = ("NAME", "STATE", "POSITION", "BEHIND", "SET ASIDE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=list(_ACTIONS),
        help="list: show the position of each; replay: send events again that were set aside, and switch on webhooks "
        "that are off; test: send one event now and print the answer",
    )
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="the webhook, or notify/ and the name of a mailbox (default: all)"
    )
    add_database(parser)


def run(args: argparse.Namespace) -> int:
    config = load(given_settings(args), os.environ)
    mailboxes = [] if args.action == "test" else list(config.notify)
    known = [hook.name for hook in config.webhooks] + [PREFIX + each.name for each in mailboxes]
    if not known:
        raise UsageError("no webhook is configured: name the configuration file with --config")
    if args.name not in (None, *known):
        raise UsageError(f"there is no such webhook in the configuration; there is {', '.join(known)}")
    hooks = [hook for hook in config.webhooks if args.name in (None, hook.name)]
    chosen = [each for each in mailboxes if args.name in (None, PREFIX + each.name)]
    return _ACTIONS[args.action](config.store, hooks, chosen)


def _list(config: StoreConfig, hooks: Sequence[Webhook], mailboxes: Sequence[Notify]) -> int:
    with reading(config) as database:
        require_newest(database)
        rows = [_row(database, hook.name, functools.partial(_behind, database, hook)) for hook in hooks]
        rows += [_row(database, PREFIX + each.name, functools.partial(_unmailed, database, each)) for each in mailboxes]
    print_table([_HEAD, *rows])
    return 0


def _row(database: Database, name: str, behind: Callable[[Position], int]) -> tuple[str, ...]:
    key = key_of(name)
    position, off_since = standing_of(database.execute(LOAD, (key,)).fetchall())
    if not position:
        return name, "never started", "-", "-", "-"
    state = f"off since {_shown(off_since)}" if off_since else "on"
    aside = sum(len(database.execute(sql, (key,)).fetchall()) for sql in (_ASIDE, _KEPT))
    return name, state, encode(position), str(behind(position)), str(aside)


def _behind(database: Database, hook: Webhook, position: Position) -> int:
    """Events that the receiver has not accepted: messages, waiting users, changes of cases."""
    key = key_of(hook.name)
    counts = [_untold(database, hook.name, hook.unanswered), _count(database, _CASES, (key,))]
    if "mensaje" in hook.events:
        told = (int(hook.private), int(hook.answers))
        counts += [_count(database, _BEHIND, (upto, log, *told)) for log, upto in position.items()]
    return sum(counts)


def _unmailed(database: Database, mailbox: Notify, _position: Position) -> int:
    """The number of users about whom or to whom a mail is due."""
    for_users = mailbox.event == "no_leido"
    return _untold(database, PREFIX + mailbox.name, mailbox.unread if for_users else mailbox.unanswered)


def _untold(database: Database, name: str, wait_s: float) -> int:
    due_ms = time.time_ns() // 1_000_000 - round(wait_s * 1_000)
    return _count(database, _UNTOLD, (key_of(name), due_ms))


def _count(database: Database, sql: str, values: Sequence[int]) -> int:
    return int(database.execute(sql, values).fetchone()[0])


def _replay(config: StoreConfig, hooks: Sequence[Webhook], mailboxes: Sequence[Notify]) -> int:
    senders = [(hook, Sender(hook)) for hook in hooks]
    with writing(config) as database, asyncio.Runner() as runner:
        require_newest(database)
        done = [_replay_one(database, runner, *each) for each in senders]
        for each in mailboxes:
            _mail_again(database, PREFIX + each.name)
    return 0 if all(done) else EXIT_FAILED


def _mail_again(database: Database, name: str) -> None:
    """Let a running daemon send the mails that were set aside, for users who still wait."""
    key = key_of(name)
    count = len(database.execute(_KEPT, (key,)).fetchall())
    database.execute(_TELL_AGAIN, (key,))
    database.execute(_FORGET_ALL_KEPT, (key,))
    print(f"{name}: {count} waits go into the next mail, unless they have been answered")


def _replay_one(database: Database, runner: asyncio.Runner, hook: Webhook, sender: Sender) -> bool:
    """Send events that were set aside. Returns whether all were accepted. A webhook stays off after another 410."""
    key = key_of(hook.name)
    aside = _aside(database, hook)
    refused = 0
    for number, (event, forget, row) in enumerate(aside):
        if event is not None:
            outcome = runner.run(sender.send(event))
            if not outcome.is_taken:
                print(f"{hook.name}: {event.id} was not taken: {outcome.words}")
                if outcome.status in (None, GONE):
                    print(f"{hook.name}: {refused + len(aside) - number} of {len(aside)} events stay set aside")
                    return False
                refused += 1
                continue
        database.execute(forget, (key, row))
    print(f"{hook.name}: {refused} of {len(aside)} events stay set aside")
    if standing_of(database.execute(LOAD, (key,)).fetchall()).off_since:
        database.execute(SWITCH, (key, 0))
        print(f"{hook.name}: switched on again; a running daemon goes on within seconds")
    return not refused


def _aside(database: Database, hook: Webhook) -> list[tuple[Event | None, str, int | str]]:
    """The events set aside, messages first, each with the statement and the key that remove it."""
    key = key_of(hook.name)
    messages = [row[0] for row in database.execute(_ASIDE, (key,)).fetchall()]
    others = database.execute(_KEPT, (key,)).fetchall()
    return [
        *((_event(database, hook, message_id), _FORGET, message_id) for message_id in messages),
        *((Event(event_id, con, body.encode()), _FORGET_KEPT, event_id) for event_id, con, body in others),
    ]


def _event(database: Database, hook: Webhook, message_id: int) -> Event | None:
    """The event of a message; None if the message was deleted, or the webhook does not get it any more."""
    row = database.execute(_MESSAGE, (message_id,)).fetchone()
    if row is None:
        return None
    number, de, para, mensaje, fecha, supervisado = row
    return made(hook, Message(number, de, para, mensaje, fecha, bool(supervisado)))


def _test(_config: StoreConfig, hooks: Sequence[Webhook], _mailboxes: Sequence[Notify]) -> int:
    senders = [(hook, Sender(hook)) for hook in hooks]
    is_taken = []
    for hook, sender in senders:
        outcome = asyncio.run(sender.send(trial(time.time_ns() // 1_000_000)))
        print(f"{hook.name}: {outcome.words}")
        is_taken.append(outcome.is_taken)
    return 0 if all(is_taken) else EXIT_FAILED


def _shown(ms: int) -> str:
    return f"{datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC):%Y-%m-%d %H:%M} UTC"


_ACTIONS: Final[Mapping[str, Callable[[StoreConfig, Sequence[Webhook], Sequence[Notify]], int]]] = {
    "list": _list,
    "replay": _replay,
    "test": _test,
}
