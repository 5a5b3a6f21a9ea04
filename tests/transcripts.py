"""The transcripts of protocol.md: a parser for them, and a player against a running daemon.

The top of protocol.md explains the notation. A line that cannot be parsed, and an answer that differs from the
transcript, raise an AssertionError that names the line.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from chatd.daemon.config import OPTIONS
from tests.chat.people import token
from tests.conformance.wire import (
    CLOSE,
    NO_CODE,
    NO_FRAME,
    Client,
    ClosedError,
    Connection,
    WebSocket,
    handshake_headers,
    request_bytes,
)
from tests.webhooks.scripted import Scripted

PROTOCOL: Final = Path(__file__).parents[1] / "protocol.md"
SEPARATOR_SHOWN: Final = "␞"
HOOK_FLAG: Final = "--webhook"
"""Options of a fence that are no flags of chatd."""

_FENCE: Final = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINE: Final = re.compile(r"(?P<who>[a-z]+) +(?P<direction>[<>]) (?P<text>.+)")
_JOINS: Final = re.compile(r"(?P<who>[a-z]+) +joins(?: as (?P<rol>\w+))?")
_HEADER: Final = re.compile(r"(?P<name>[A-Za-z][A-Za-z-]*): (?P<value>.*)")
_REQUEST: Final = re.compile(r"(?P<method>[A-Z]+) (?P<target>/\S*)")
_SIZE: Final = re.compile(r"\((?P<size>[\d,]+) bytes\)")
_CLOSE: Final = re.compile(r"\(close(?: (?P<code>\d{4}))?\)")
_VARIABLE: Final = re.compile(r"\$(\w+)")
_BINARY: Final = "(binary) "


@dataclasses.dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block of the page."""

    kind: str
    flags: list[str]
    body: str
    section: str
    line: int
    hook: str = ""
    """The name of the daemon's webhook; the transcript calls the receiver by the same name."""

    @property
    def settings(self) -> dict[str, str]:
        """The flags after the fence's kind, `--flag value` each, by the public names of the settings."""
        names = {option.flag: option.name for option in OPTIONS}
        return {names[flag]: value for flag, value in zip(self.flags[::2], self.flags[1::2], strict=True)}


def fences(page: str) -> Iterator[Fence]:
    """Every fenced block, in order."""
    for match in _FENCE.finditer(page):
        kind, *flags = match["info"].split() or [""]
        headings = re.findall(r"^#{2,3} (.+)$", page[: match.start()], re.MULTILINE)
        hook = flags.pop(1) if flags[:1] == [HOOK_FLAG] else ""
        line = page.count("\n", 0, match.start()) + 1
        yield Fence(kind, flags[1:] if hook else flags, match["body"], headings[-1], line, hook)


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One line and the indented ones below it."""

    line: int
    text: str
    more: list[str]


def steps(fence: Fence) -> list[Step]:
    """The lines of a transcript, without comments and empty ones."""
    found: list[Step] = []
    for offset, text in enumerate(fence.body.splitlines(), 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        if text.startswith(" "):
            found[-1].more.append(text.strip())
        else:
            found.append(Step(fence.line + offset, text, []))
    return found


class Player:
    """Plays the steps of one transcript. Each name in it is one TCP connection."""

    def __init__(
        self, client: Client, api: Client | None = None, hooks: Mapping[str, Scripted] | None = None, **known: str
    ) -> None:
        """`known` are the values of variables on the page. Requests for /v1 go to `api`, if given; `hooks` are the
        receivers of webhooks.
        """
        self._client = client
        self._api = api
        self._hooks = hooks or {}
        self._connections: dict[str, Connection] = {}
        self._websockets: dict[str, WebSocket] = {}
        now = time.time()
        self._known = {
            "token_ana": token("ana"),
            "token_root": token("root", "admin"),
            "token_old": token("ana", exp=int(now) - 60),
            "token_brief": token("ana", exp=int(now + 0.5) + 1),
            "token_nameless": token("ana", name=...),
            **known,
        }

    async def play(self, step: Step) -> None:
        try:
            await self._play(step)
        except (AssertionError, ClosedError, TimeoutError, KeyError) as error:
            raise AssertionError(f"{PROTOCOL.name}:{step.line}: {step.text}\n{error!r}") from error

    async def _play(self, step: Step) -> None:
        if joins := _JOINS.fullmatch(step.text):
            await self._join(joins["who"], joins["rol"] or "user")
            return
        line = _LINE.fullmatch(step.text)
        assert line, "neither a comment, nor `who > text`, `who < text` or `who joins`"
        who, text = line["who"], line["text"]
        if who in self._hooks:
            await self._play_hook(self._hooks[who], line["direction"], text, step.more)
            return
        if line["direction"] == "<":
            await self._expect(who, text, step.more)
            return
        await self._send(who, text, step.more)
        await self._client.settled()

    async def _join(self, who: str, rol: str) -> None:
        websocket = await self._client.websocket({"Cookie": f"token={token(who, rol)}"})
        await websocket.send("40")
        answer = await websocket.receive()
        assert str(answer).startswith('40{"sid":'), answer
        self._websockets[who] = websocket

    async def _play_hook(self, hook: Scripted, direction: str, text: str, more: list[str]) -> None:
        """A receiver gets a request, or answers it with a status."""
        if direction == ">":
            hook.answer(int(text))
            return
        told = await hook.heard()
        self._match(text, f"{told.method} {told.target} {told.body}")
        for line in more:
            header = _HEADER.fullmatch(line)
            assert header, f"no header: {line}"
            self._match(header["value"], told.headers.get(header["name"], "(absent)"))

    # Sending.

    async def _send(self, who: str, text: str, more: list[str]) -> None:
        if text == "(cut)":
            self._connections[who].abort()
        elif request := _REQUEST.fullmatch(text):
            await self._send_request(who, request["method"], self._filled(request["target"]), more)
        elif who in self._websockets:
            assert not more, "a WebSocket message is one line"
            await self._send_message(self._websockets[who], text)
        else:
            raise AssertionError(f"{who} is no WebSocket, and this is no request")

    async def _send_request(self, who: str, method: str, target: str, more: list[str]) -> None:
        headers = {found["name"]: self._filled(found["value"]) for line in more if (found := _HEADER.fullmatch(line))}
        body = [line for line in more if not _HEADER.fullmatch(line)]
        assert len(body) <= 1, "a body is one line"
        if who not in self._connections:
            client = self._api if self._api is not None and target.startswith("/v1/") else self._client
            self._connections[who] = await client.connect()
        if method == "WEBSOCKET":
            await self._open_websocket(who, target, headers)
        else:
            content = _bytes(self._filled(body[0])) if body else None
            self._connections[who].write(request_bytes(method, target, headers, content))

    async def _open_websocket(self, who: str, target: str, headers: dict[str, str]) -> None:
        connection = self._connections[who]
        connection.write(request_bytes("GET", target, {**handshake_headers(), **headers}))
        answer = await connection.answer()
        assert answer.status == 101, answer
        self._websockets[who] = WebSocket(connection, answer)

    async def _send_message(self, websocket: WebSocket, text: str) -> None:
        if text.startswith(_BINARY):
            await websocket.send(bytes.fromhex(text.removeprefix(_BINARY)))
        elif close := _CLOSE.fullmatch(text):
            await websocket.send_frame(CLOSE, int(close["code"]).to_bytes(2, "big") if close["code"] else b"")
        else:
            await websocket.send(_bytes(self._filled(text)).decode())

    # Expecting.

    async def _expect(self, who: str, text: str, more: list[str]) -> None:
        if who in self._websockets:
            assert not more, "a WebSocket message is one line"
            self._match(text, await _next(self._websockets[who]))
        elif text == "(end)":
            assert await self._connections[who].rest() == b""
        else:
            await self._expect_answer(who, text, more)

    async def _expect_answer(self, who: str, text: str, more: list[str]) -> None:
        answer = await self._connections[who].answer()
        said = f"{answer.status} {answer.text}".strip().replace("\x1e", SEPARATOR_SHOWN)
        self._match(text, said)
        for line in more:
            header = _HEADER.fullmatch(line)
            assert header, f"no header: {line}"
            self._match(header["value"], answer.header(header["name"]) or "(absent)")
        if answer.status == 101:
            self._websockets[who] = WebSocket(self._connections[who], answer)

    def _match(self, expected: str, said: str) -> None:
        """`…` stands for any text; `$name` for any text the first time, and for the same text from then on."""
        pattern = re.sub(r"\\\$(\w+)", self._pattern, re.escape(expected)).replace("…", ".+")
        found = re.fullmatch(pattern, said, re.DOTALL)
        assert found, f"the server said {said!r}"
        self._known |= found.groupdict()

    def _pattern(self, variable: re.Match[str]) -> str:
        name = variable[1]
        return re.escape(self._known[name]) if name in self._known else f'(?P<{name}>[^"]+)'

    def _filled(self, text: str) -> str:
        return _VARIABLE.sub(lambda name: self._known[name[1]], text).replace(SEPARATOR_SHOWN, "\x1e")


def _bytes(text: str) -> bytes:
    """A text; a size in parentheses repeats it to so many bytes."""
    size = _SIZE.fullmatch(text)
    return b"4" * int(size["size"].replace(",", "")) if size else text.encode()


async def _next(websocket: WebSocket) -> str:
    """The next message or close, as a transcript shows it."""
    try:
        message = await websocket.receive()
    except ClosedError as end:
        return {NO_CODE: "(close)", NO_FRAME: "(end)"}.get(end.code, f"(close {end.code})")
    return _BINARY + message.hex(" ") if isinstance(message, bytes) else message
