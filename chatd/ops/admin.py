"""The admin socket: a unix socket beside the database, for the daemon's own user and for root.

A connection carries one request: a JSON object on one line. The answer is one object. After the answer to `tail`, the
messages follow until either side closes:

    {"verb": "who"}                                          {"ok": true, "people": [{"user": ..., "sid": ...}, ...]}
    {"verb": "kick", "user": "ana"}                          {"ok": true, "sessions": 2}
    {"verb": "nodes"}                                        {"ok": true, "nodes": [{"node": 1, ...}, ...]}
    {"verb": "send", "from": "admin", "to": "ana", "text": "hola"}    {"ok": true, "id": "...", "fecha": ...}
    {"verb": "reload"}                                       {"ok": true, "parts": ["log", "tokens", ...], "kept": []}
    {"verb": "state"}                                        {"ok": true, "reload_fault": null}
    {"verb": "tail"}                                         {"ok": true}   {"id": ..., "de": ..., "mensaje": ...} ...

With several nodes, `who` and `kick` cover all of them; `unanswered` lists the numbers of the nodes that did not answer.
The answer to a request that fails is {"ok": false, "error": "a sentence"}.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from chatd.base.errors import ChatdError, RefusedError
from chatd.listen.unix import UnixSocket
from chatd.ops import log
from chatd.ops.desk import Desk
from chatd.settings.reload import Outcome
from chatd.store.base import Message, StoreError

OWNER_ONLY: Final = 0o600

# The longest request holds one message. A `tail` with more than MAX_WAITING_BYTES unread is closed.
MAX_REQUEST_BYTES: Final = 4_194_304
MAX_WAITING_BYTES: Final = 1_048_576
REQUEST_TIMEOUT_S: Final = 10.0

Request = Mapping[str, Any]


class Reloads(Protocol):
    """The daemon, as far as the admin socket reloads it."""

    def reload(self) -> Outcome: ...

    @property
    def reload_fault(self) -> str | None: ...


class AdminSocket:
    """Listens from its creation, answers from `start` to `close`."""

    def __init__(self, path: Path, desk: Desk, daemon: Reloads) -> None:
        """Raises ConfigError for an impossible path, ListenError if the system refuses to open the socket."""
        self._unix = UnixSocket(path, OWNER_ONLY)
        self._desk = desk
        self._daemon = daemon
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._verbs: Mapping[str, Callable[[Request, asyncio.StreamWriter], Awaitable[None]]] = {
            "who": self._who,
            "kick": self._kick,
            "nodes": self._nodes,
            "send": self._send,
            "tail": self._tail,
            "reload": self._reload,
            "state": self._state,
        }

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(
            self._serve, sock=self._unix.socket, limit=MAX_REQUEST_BYTES, backlog=16
        )
        log.info("admin socket open", extra={"unix": str(self._unix.path)})

    def close(self) -> None:
        """Idempotent."""
        if self._server is not None:
            self._server.close()
        else:
            self._unix.socket.close()
        self._unix.remove()
        for client in tuple(self._clients):
            client.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                line = await reader.readline()
            await self._answer(line, writer)
            if writer.transport.get_write_buffer_size():
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            writer.transport.abort()  # the client has closed, was silent, or sent too much
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(line)
            verb = self._verbs.get(str(request.get("verb"))) if isinstance(request, dict) else None
            if verb is None:
                raise RefusedError("verb", f"write one of {', '.join(self._verbs)} as the verb")
            await verb(request, writer)
        except RecursionError:
            _write(writer, {"ok": False, "error": "this is no request: its JSON is nested too deep"})
        except (KeyError, ValueError) as error:  # a number of 5,000 digits is a ValueError of its own
            _write(writer, {"ok": False, "error": f"this is no request: {error!r}"})
        except ChatdError as error:
            _write(writer, {"ok": False, "error": str(error)})

    async def _who(self, _request: Request, writer: asyncio.StreamWriter) -> None:
        _write(writer, {"ok": True, **await self._desk.who()})

    async def _kick(self, request: Request, writer: asyncio.StreamWriter) -> None:
        _write(writer, {"ok": True, **await self._desk.kick(str(request["user"]))})

    async def _nodes(self, _request: Request, writer: asyncio.StreamWriter) -> None:
        _write(writer, {"ok": True, **self._desk.nodes()})

    async def _send(self, request: Request, writer: asyncio.StreamWriter) -> None:
        stored: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()
        message = self._desk.send(request["from"], request["to"], request["text"], stored.set_result)
        error = await stored
        if error is not None:
            raise error
        _write(writer, {"ok": True, "id": str(message.id), "fecha": message.fecha})

    async def _reload(self, _request: Request, writer: asyncio.StreamWriter) -> None:
        outcome = self._daemon.reload()
        if outcome.fault is not None:
            raise RefusedError("reload", f"nothing was reloaded: {outcome.fault}")
        _write(writer, {"ok": True, "parts": outcome.parts, "kept": outcome.kept})

    async def _state(self, _request: Request, writer: asyncio.StreamWriter) -> None:
        _write(writer, {"ok": True, "reload_fault": self._daemon.reload_fault})

    async def _tail(self, _request: Request, writer: asyncio.StreamWriter) -> None:
        gone = asyncio.Event()

        def tell(message: Message) -> None:
            if writer.transport.is_closing() or writer.transport.get_write_buffer_size() > MAX_WAITING_BYTES:
                gone.set()
            else:
                _write(writer, _shown(message))

        unfollow = self._desk.follow(tell)
        log.info("an operator follows the messages")
        _write(writer, {"ok": True})
        try:
            with contextlib.suppress(ConnectionError):
                closed = asyncio.ensure_future(writer.wait_closed())
                ended = asyncio.ensure_future(gone.wait())
                await asyncio.wait([closed, ended], return_when=asyncio.FIRST_COMPLETED)
                closed.cancel()
                ended.cancel()
        finally:
            unfollow()
            if gone.is_set():
                writer.transport.abort()


def _shown(message: Message) -> dict[str, object]:
    return {
        "id": str(message.id),
        "fecha": message.fecha,
        "de": message.de,
        "para": message.para,
        "mensaje": message.mensaje,
    }


def _write(writer: asyncio.StreamWriter, answer: Mapping[str, object]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
