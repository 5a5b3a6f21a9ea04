"""Floods of a hostile afternoon, in a process of their own: packets that mean little, sent as fast as possible, and
messages that are never finished.

`python -m tests.attack.floods HOST PORT SECONDS [ATTACK ...]`, as in hostile.py. These attackers compute little. In one
process with the others they would be slowed down.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.attack.hostile import AT_ONCE, HANDSHAKE, Attack, Field, joined, main, until_closed
from tests.conformance.wire import BINARY, Client, WebSocket, frame_bytes, request_bytes, text_frame

BLOCK_BYTES: Final = 65_536


async def joins_and_leaves(field: Field, client: Client) -> None:
    """All sockets of a user join and leave the main namespace, over and over."""
    name = field.name()
    sockets = await asyncio.gather(*(joined(client, name) for _ in range(AT_ONCE)))
    await _pour(field, sockets, text_frame("41") + text_frame("40"))


async def unknown_namespaces(field: Field, client: Client) -> None:
    """CONNECTs that are refused, from many clients without a token."""
    await _pour(field, await _strangers(client), text_frame("40/nope,"))


async def junk_signatures(field: Field, client: Client) -> None:
    """Tokens of the daemon's own algorithm, signed with another key: refusing one takes as long as accepting one."""
    claims = {"user": field.name(), "name": "A Name", "rol": "user", "exp": int(time.time()) + 3600}
    junk = jwt.encode(claims, ec.generate_private_key(ec.SECP384R1()), "ES384")
    await _pour(field, await _strangers(client), text_frame("40" + json.dumps({"token": junk})))


async def noops_of_strangers(field: Field, client: Client) -> None:
    """NOOPs from many clients that have not joined."""
    await _pour(field, await _strangers(client), text_frame("6"))


async def _strangers(client: Client) -> list[WebSocket]:
    return await asyncio.gather(*(client.websocket() for _ in range(AT_ONCE)))


async def _pour(field: Field, sockets: Sequence[WebSocket], packet: bytes) -> None:
    """Send the same packet on all sockets as fast as the server reads; its answers are not read."""
    block = packet * (BLOCK_BYTES // len(packet))

    async def pour(socket: WebSocket) -> None:
        while field.open:
            await socket.send_raw(block)

    await asyncio.gather(*(pour(socket) for socket in sockets))


async def polling_sessions(field: Field, client: Client) -> None:
    """Sessions that are opened and closed on one connection."""
    connection = await client.connect()
    while field.open:
        opened = await connection.request("GET", client.target(**HANDSHAKE))
        target = client.target(**HANDSHAKE, sid=json.loads(opened.text[1:])["sid"])
        await connection.request("POST", target, body=b"1")


async def pipelines(field: Field, client: Client) -> None:
    """Thousands of requests before the first answer."""
    connection = await client.connect()
    connection.write(request_bytes("GET", client.target(transport="none")) * 5_000)
    await until_closed(connection, field)


async def unfinished(field: Field, client: Client) -> None:
    """Clients that have not joined send most of a frame, a fragmented message, a body, or a request after a poll."""
    part = bytes(60_000)
    sockets = await _strangers(client)
    for number, socket in enumerate(sockets):
        whole = frame_bytes(BINARY, bytes(90_000)) if number % 2 else frame_bytes(BINARY, part, fin=False)
        socket.connection.write(whole[: len(part)])
    for number in range(AT_ONCE):
        session, connection = await client.polling(), await client.connect()
        poll = request_bytes("GET", session.target()) if number % 2 else b""
        connection.write(poll + request_bytes("POST", session.target(), {"Content-Length": "90000"}) + part)
    await asyncio.gather(*(until_closed(socket.connection, field) for socket in sockets))


ATTACKS: Final[tuple[Attack, ...]] = (
    joins_and_leaves,
    unknown_namespaces,
    junk_signatures,
    noops_of_strangers,
    polling_sessions,
    pipelines,
    unfinished,
)

if __name__ == "__main__":
    main(ATTACKS)
