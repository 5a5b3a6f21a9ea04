"""Cases of Engine.IO. They open their own sessions, and need nothing from the application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tests.conformance.remote.target import NEW, Case, Target, fate, fate_after, handshake, heard, life, seen
from tests.conformance.tables import BROKEN_FRAMES, BROKEN_HANDSHAKES, BROKEN_PAYLOADS, NO_PACKETS, WRONG_FIRST
from tests.conformance.wire import CONTINUATION, TEXT, frame_bytes, request_bytes, text_frame

See = Callable[[Target], Awaitable[str]]


def request(method: str, **query: str) -> See:
    async def see(target: Target) -> str:
        return seen(await target.client.request(method, query))

    return see


def upgrade(headers: dict[str, str] | None = None, **query: str) -> See:
    async def see(target: Target) -> str:
        return await handshake(target, headers, **query)

    return see


def on_session(method: str, **query: str) -> See:
    """A request of a polling session, and whether the session stays open."""

    async def see(target: Target) -> str:
        session = await target.client.polling()
        connection = await target.client.connect()
        answer = await connection.request(method, session.target(**query))
        return f"{seen(answer)}; the session {await life(session)}"

    return see


def post(body: str | bytes, kind: str | None = None) -> See:
    async def see(target: Target) -> str:
        session = await target.client.polling()
        answer = await session.post(body, {"Content-Type": kind} if kind else {})
        return f"{seen(answer)}; the session {await life(session)}"

    return see


def frame(data: bytes) -> See:
    async def see(target: Target) -> str:
        websocket = await target.joined()
        await websocket.send_raw(data)
        return await fate(websocket)

    return see


def packet(text: str) -> See:
    async def see(target: Target) -> str:
        return await fate_after(await target.joined(), text)

    return see


def first_of_upgrade(data: bytes) -> See:
    async def see(target: Target) -> str:
        session = await target.client.polling()
        websocket = await session.upgrade()
        await websocket.send_raw(data)
        return f"{await fate(websocket)}; the session {await life(session)}"

    return see


async def open_polling(target: Target) -> str:
    answer = await target.client.request("GET", NEW)
    session = await target.client.polling()
    return f"{answer.status}, {answer.header('content-type')}, {', '.join(sorted(session.opened))}"


async def open_websocket(target: Target) -> str:
    websocket = await target.client.websocket()
    return f"upgrades {websocket.opened['upgrades']}"


async def early_frame(target: Target) -> str:
    """The frame breaks a rule, so that the end of the session shows that it was read."""
    return await fate(await target.client.websocket(early=text_frame("4abc")))


async def two_polls(target: Target) -> str:
    session = await target.client.polling()
    first = await session.begin_get()
    second = await session.get()
    return f"{seen(second)}; the session {await life(session)}; the first poll: {(await first.answer()).text!r}"


async def too_large(target: Target) -> str:
    session = await target.client.polling()
    answer = await session.post("4" + "x" * int(session.opened["maxPayload"]))
    return f"{seen(answer)}; the session {await life(session)}"


async def too_large_a_message(target: Target) -> str:
    websocket = await target.joined()
    size = int(websocket.opened["maxPayload"]) + 1
    websocket.connection.write(frame_bytes(TEXT, b"4" * size))
    return await fate(websocket)


async def probe(target: Target) -> str:
    session = await target.client.polling()
    pending = await session.begin_get()
    websocket = await session.upgrade()
    await websocket.send("2probe")
    answer = await heard(websocket)
    packets = await pending.packets()
    await websocket.send("5")
    return f"{answer}; the poll: {packets}; {await fate(websocket)}"


async def other_transport(target: Target) -> str:
    """Poll a session of a WebSocket."""
    websocket = await target.client.websocket()
    answer = await target.client.request("GET", {**NEW, "sid": websocket.sid})
    return f"{seen(answer)}; {await fate(websocket)}"


async def second_websocket(target: Target) -> str:
    """Open another WebSocket for a session that has been upgraded."""
    session = await target.client.polling()
    websocket = await session.upgrade()
    await websocket.send("2probe")
    await websocket.receive()
    await websocket.send("5")
    await fate(websocket)
    second = await handshake(target, sid=session.sid)
    return f"{second}; the first {await fate(websocket)}"


async def fragments(target: Target) -> str:
    """Send a CONNECT in two fragments."""
    websocket = await target.client.websocket()
    await websocket.send_frame(TEXT, b"4", fin=False)
    await websocket.send_frame(CONTINUATION, f"0{target.auth}".encode())
    return "joined" if str(await websocket.receive()).startswith("40") else "something else"


async def pipeline(target: Target) -> str:
    """Send two requests in one write."""
    connection = await target.client.connect()
    connection.write(request_bytes("GET", target.client.target(**NEW)) * 2)
    return ", ".join([str((await connection.answer()).status) for _ in range(2)])


UNKNOWN: Final = {**NEW, "sid": "x" * 20}
LIVES: Final = "the session lives"
GONE: Final = "the session is gone"

CASES: Final = (
    Case("E-28", "a session is opened by polling",
         "200, text/plain; charset=UTF-8, maxPayload, pingInterval, pingTimeout, sid, upgrades", open_polling),
    Case("E-28", "a session is opened by a WebSocket", "upgrades []", open_websocket),
    Case("E-18", "a malformed packet comes in one write with the handshake", "closed without a code", early_frame),
    Case("E-15", "two requests come in one write", "200, 200", pipeline),
    *(Case("E-11", f"GET with the transport {name!r}", "400, code 0", request("GET", EIO="4", transport=name))
      for name in ("abc", "__proto__", "constructor", "POLLING", "")),
    *(Case("E-11", f"a WebSocket with the transport {name!r}", "400, code 0", upgrade(transport=name))
      for name in ("abc", "__proto__")),
    *(Case("E-11", f"{method} with an unknown sid", "400, code 1", request(method, **UNKNOWN))
      for method in ("GET", "POST")),
    Case("E-11", "a WebSocket with an unknown sid", "400, code 1", upgrade(sid="x" * 20)),
    *(Case("E-11", f"{method} without a sid", "400, code 2", request(method, **NEW))
      for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW")),
    Case("E-11", "GET with the transport websocket and no upgrade", "400, code 3",
         request("GET", EIO="4", transport="websocket")),
    *(Case("E-13", f"GET with EIO={revision}", "400, code 5", request("GET", EIO=revision, transport="polling"))
      for revision in ("3", "5", "")),
    *(Case("E-13", f"a WebSocket with EIO={revision}", "400, code 5", upgrade(EIO=revision)) for revision in ("3", "")),
    Case("E-12", "a session is polled with EIO=3", f"400, code 3; {LIVES}", on_session("GET", EIO="3")),
    Case("E-12", "a session is polled with the transport websocket", f"400, code 3; {LIVES}",
         on_session("GET", transport="websocket")),
    *(Case("E-36", f"{method} with a sid", f"405; {LIVES}", on_session(method))
      for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")),
    *(Case("E-18", f"a WebSocket with {headers}", "400, code 3", upgrade(headers)) for headers in BROKEN_HANDSHAKES),
    *(Case("E-18", f"an upgrade to {name}", "400, code 3", upgrade({"Upgrade": name})) for name in ("foo", "h2c")),
    Case("E-31", "a second poll while one waits", f"400; {GONE}; the first poll: '1'", two_polls),
    Case("E-33", "a body over maxPayload", f"413; {LIVES}", too_large),
    *(Case("E-05", f"POST of {body!r}", f"200; {GONE}", post(body)) for body in BROKEN_PAYLOADS),
    Case("E-24", "POST of a ping", f"200; {GONE}", post("2")),
    Case("E-24", "POST of packets without meaning", f"200; {LIVES}", post("0\x1e5\x1e6\x1e3")),
    Case("E-32", "POST of application/octet-stream", f"400; {GONE}", post("40", "application/octet-stream")),
    Case("E-40", "an upgrade", "3probe; the poll: ['6']; goes on", probe),
    *(Case("E-43", f"an upgrade that begins with {data[6:]!r}", f"closed without a code; {LIVES}",
           first_of_upgrade(data)) for data in WRONG_FIRST),
    Case("E-44", "a poll of a session on a WebSocket", "400, code 3; goes on", other_transport),
    Case("E-44", "a second WebSocket after the upgrade", "101, then another frame; the first goes on",
         second_websocket),
    Case("E-07", "a packet in two fragments", "joined", fragments),
    *(Case("E-08", f"a broken frame: {name}", "closed, 1002", frame(data)) for name, data in BROKEN_FRAMES.items()),
    Case("E-08", "text that is not UTF-8", "closed, 1007", frame(b"\x81\x82\0\0\0\0\x34\xff")),
    Case("E-09", "a message over maxPayload", "closed, 1009", too_large_a_message),
    *(Case("E-01", f"the frame {text!r}", "closed without a code", packet(text)) for text in NO_PACKETS),
    Case("E-24", "a ping packet", "closed without a code", packet("2")),
    Case("E-24", "a close packet", "closed without a code", packet("1")),
    *(Case("E-24", f"the packet {text}", "goes on", packet(text)) for text in ("0", "3", "5", "6")),
)  # fmt: skip
