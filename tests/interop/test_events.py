"""Events: round trips of every JSON type, many at once, before and during the upgrade."""

from __future__ import annotations

from typing import Any, Final

from tests.interop.conftest import Client
from tests.interop.processes import Server
from tests.interop.values import Js

EVERY_TYPE: Final[list[Any]] = [
    None,
    True,
    False,
    0,
    -1,
    9007199254740991,
    -9007199254740991,
    0.1,
    -1.5e-7,
    1.7976931348623157e308,
    5e-324,
    1e21,
    "",
    "text",
    "quotes \" ' \\ / and \b\f\n\r\t\x00\x1e\x7f",
    "ünïcödé, 日本語, עברית, العربية",
    "🦜, 👩‍👩‍👧‍👦, 🇦🇷 and \u2028\u2029",
    [],
    [[], [[]], [None, [1, [2, [3]]]]],
    {},
    {"": "", "a b": {"ñ": [{"🦜": None}]}, "__proto__x": 1, "_placeholder": False},
]

# The output of JSON.stringify for values that JSON does not have.
ONLY_IN_JAVASCRIPT: Final[list[tuple[str, Any]]] = [
    ("undefined", None),
    ("NaN", None),
    ("Infinity", None),
    ("-0", 0),
    ("new Date(0)", "1970-01-01T00:00:00.000Z"),
    ("({kept: 1, dropped: undefined})", {"kept": 1}),
    ("2 ** 60", 1152921504606847000),
    ("'\\ud83e'", "\ud83e"),
]


async def test_every_json_type_comes_back(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    await socket.emit("message", *EVERY_TYPE)
    assert await socket.hear("message-back") == EVERY_TYPE


async def test_an_event_needs_no_arguments(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    await socket.emit("message")
    assert await socket.hear("message-back") == []


async def test_what_json_does_not_have_comes_back_as_json_stringify_writes_it(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    await socket.emit("message", *(Js(expression) for expression, _ in ONLY_IN_JAVASCRIPT))
    assert await socket.hear("message-back") == [written for _, written in ONLY_IN_JAVASCRIPT]


async def test_texts_of_every_frame_size_come_back(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    for length in (100, 125, 126, 127, 65_535, 65_536, 300_000):
        await socket.emit("message", "ñ" * length)
        assert await socket.hear("message-back") == ["ñ" * length]


async def test_events_keep_their_order_while_the_client_upgrades(client: Client, echo: Server) -> None:
    socket = await client.open(echo.url)
    for number in range(200):
        await socket.emit("message", number)
    assert [await socket.hear("message-back") for _ in range(200)] == [[number] for number in range(200)]
    assert socket.heard("message-back") == 0


async def test_a_burst_from_the_server_arrives_whole_and_in_order(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    await socket.emit("count", 500)
    assert [await socket.hear("number") for _ in range(500)] == [[number] for number in range(500)]


async def test_a_client_can_use_any_event_name(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    for name in ("error", "connection", "__proto__", "constructor", "ñandú 🦜", ""):
        await socket.emit(name, 1)
    assert await socket.ask("message-with-ack", "alive") == ["alive"]
