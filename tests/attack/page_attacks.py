"""Attackers of the page that stops mail, in a hostile afternoon: with valid links and without.

`python -m tests.attack.page_attacks HOST PORT SECONDS [ATTACK ...]`, as in hostile.py.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from chatd.notify.stop import PATH, key_of, link_of
from tests.attack.hostile import Attack, Field, main, until_closed
from tests.conformance.wire import Client, request_bytes

AT_ONCE: Final = 20

_SECRET: Final = "a-secret-of-the-chat"


def write_config(folder: Path) -> Path:
    """A configuration file with the page."""
    secret, config = folder / "secret-of-links", folder / "chatd.toml"
    secret.write_text(_SECRET)
    config.write_text(
        '[[notify]]\nname = "users"\nevent = "no_leido"\nsmtp = "127.0.0.1"\nsecurity = "none"\nport = 9\n'
        'from = "chat@example.com"\nlink = "https://shop.example/chat"\n'
        f'public_url = "https://chat.example.com"\nemail_secret_file = "{secret}"\n'
    )
    return config


def _link(field: Field) -> str:
    """The signed link of a user whom the chat does not know."""
    return link_of("", key_of(_SECRET), field.name())


async def floods_of_stops(field: Field, client: Client) -> None:
    """Hundreds of valid one-click requests, pipelined on several connections; some clients read no answer."""
    connections = [await client.connect() for _ in range(AT_ONCE)]
    for number, connection in enumerate(connections):
        if number % 2:
            connection.stop_reading()
        posts = (request_bytes("POST", _link(field), {}, b"List-Unsubscribe=One-Click") for _ in range(50))
        connection.write(b"".join(posts))
    for connection in connections[::2]:
        for _ in range(50):
            await connection.answer()
    await until_closed(connections[1], field)


async def forged_links(field: Field, client: Client) -> None:
    """Links with a wrong signature, or with no form of a link."""
    connection = await client.connect()
    link = _link(field)
    for path in (link[:-1], link + "0", PATH, f"{PATH}{'A' * 7_000}.{'0' * 32}", f"{PATH}%FF.%00"):
        await connection.request("POST", path, body=b"x")


async def slow_stops(field: Field, client: Client) -> None:
    """A valid link, and a body that comes byte by byte, is too long, or never ends."""
    connections = [await client.connect() for _ in range(AT_ONCE)]
    for number, connection in enumerate(connections):
        length = {"Content-Length": "4000" if number % 2 else "900000"}
        connection.write(request_bytes("POST", _link(field), length))
    while field.open and not all(connection.at_end for connection in connections):
        for connection in connections:
            connection.write(b" ")
        await asyncio.sleep(0.02)  # this is what makes it slow


async def stops_and_is_gone(field: Field, client: Client) -> None:
    for _ in range(AT_ONCE):
        connection = await client.connect()
        connection.write(request_bytes("POST", _link(field), {}, b"x"))
        connection.abort()


ATTACKS: Final[tuple[Attack, ...]] = (floods_of_stops, forged_links, slow_stops, stops_and_is_gone)

if __name__ == "__main__":
    main(ATTACKS)
