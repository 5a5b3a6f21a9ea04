"""Cases of Socket.IO, on a WebSocket. They need only a main namespace that a client can join."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tests.conformance.remote.target import Case, Target, fate, fate_after, heard
from tests.conformance.tables import (
    EARLY,
    LYING_PLACEHOLDERS,
    MALFORMED,
    ODD,
    STRAY,
    WRONG_ACK_IDS,
    WRONG_COUNTS,
)

See = Callable[[Target], Awaitable[str]]
PLACEHOLDER: Final = '{"_placeholder":true,"num":0}'


def joined_then(*messages: str | bytes) -> See:
    """Send `messages` after joining the main namespace."""

    async def see(target: Target) -> str:
        return await fate_after(await target.joined(), *map(_packet, messages))

    return see


def first(message: str | bytes) -> See:
    """Send `message` before any CONNECT."""

    async def see(target: Target) -> str:
        return await fate_after(await target.client.websocket(), _packet(message))

    return see


def _packet(message: str | bytes) -> str | bytes:
    return f"4{message}" if isinstance(message, str) else message


async def ids(target: Target) -> str:
    """The id of a socket differs from that of its session, which must stay secret."""
    websocket = await target.client.websocket()
    await websocket.send(f"40{target.auth}")
    return "the session's" if websocket.sid in await heard(websocket) else "another"


async def unknown_namespace(target: Target) -> str:
    websocket = await target.client.websocket()
    await websocket.send("40/nowhere,")
    return f"{await heard(websocket)}; {await fate(websocket)}"


async def leave_and_return(target: Target) -> str:
    websocket = await target.joined()
    assert await fate_after(websocket, "41") == "goes on"
    await websocket.send(f"40{target.auth}")
    while not (answer := await heard(websocket)).startswith(("40", "44")):
        pass
    return "back" if answer.startswith("40") else answer


ENDS: Final = "closed without a code"

CASES: Final = (
    Case("S-17", "the id in the answer to CONNECT", "another", ids),
    Case("S-19", "CONNECT to an unknown namespace", '44/nowhere,{"message":"Invalid namespace"}; goes on',
         unknown_namespace),
    Case("S-24", "DISCONNECT, and CONNECT again", "back", leave_and_return),
    Case("S-18", "a second CONNECT", ENDS, joined_then("0")),
    *(Case("S-05", f"CONNECT with the payload {payload}", ENDS, first(f"0{payload}"))
      for payload in ("null", "[]", '"x"', "{")),
    *(Case("S-16", f"{message!r} before CONNECT", ENDS, first(message)) for message in EARLY),
    *(Case("S-16", f"{message!r}, of which nothing is joined", ENDS, joined_then(message)) for message in STRAY),
    *(Case("S-05", f"the packet {message[:20]!r}", ENDS, joined_then(message)) for message in MALFORMED),
    *(Case("S-06", f"the packet {message!r}", "goes on", joined_then(message)) for message in ODD),
    *(Case("S-04", f"the acknowledgement id of {message}", ENDS, joined_then(message)) for message in WRONG_ACK_IDS),
    *(Case("S-09", f"the count of attachments of {message}", ENDS, joined_then(message)) for message in WRONG_COUNTS),
    *(Case("S-11", f"a placeholder with num {number}", ENDS,
           joined_then(f'51-["e",{{"_placeholder":true,"num":{number}}}]', b"x")) for number in LYING_PLACEHOLDERS),
    Case("S-10", "an event with an attachment", "goes on", joined_then(f'51-["e",{PLACEHOLDER}]', b"x")),
    Case("S-27", "a text in the place of an attachment", ENDS, joined_then(f'51-["e",{PLACEHOLDER}]', '2["e"]')),
    Case("S-27", "bytes that nothing has announced", ENDS, joined_then(b"x")),
)  # fmt: skip
