"""Fetches a key set: one GET by h11, in a separate thread. Rule J-01 of protocol.md.

On a thread because a name is looked up, certificates are loaded and keys are made, each of which would stop the event
loop for milliseconds. The thread is a daemon: a name server that hangs does not hold up the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final, TypeVar
from urllib.parse import SplitResult, urlsplit

import h11

from chatd import __version__
from chatd.auth.jwks.keyset import KeySetError

_READ_BYTES: Final = 16_384
_OK: Final = 200

Result = TypeVar("Result")


def fetch(url: str, timeout_s: float, max_bytes: int) -> bytes:
    """The body of the answer. Blocks. Raises KeySetError."""
    parts = urlsplit(url)
    deadline = monotonic() + timeout_s
    secure = parts.scheme == "https"
    try:
        address = (parts.hostname or "", parts.port or (443 if secure else 80))
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(socket.create_connection(address, timeout_s))
            if secure:
                context = ssl.create_default_context()
                stream = stack.enter_context(context.wrap_socket(stream, server_hostname=parts.hostname))
            return _Get(stream, deadline).body(parts, max_bytes)
    except TimeoutError as error:
        raise KeySetError(f"no answer within {timeout_s:g} s") from error
    except OSError as error:  # ssl.SSLError is one
        raise KeySetError(f"it cannot be reached: {error}") from error
    except h11.RemoteProtocolError as error:
        raise KeySetError(f"its answer is no HTTP: {error}") from error


class _Get:
    """One request on one connection."""

    def __init__(self, stream: socket.socket, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline
        self._http = h11.Connection(h11.CLIENT)

    def body(self, parts: SplitResult, max_bytes: int) -> bytes:
        """Raises KeySetError, OSError and h11.RemoteProtocolError."""
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = [
            ("Host", parts.netloc.rpartition("@")[2]),
            ("User-Agent", f"chatd/{__version__}"),
            ("Accept", "application/jwk-set+json, application/json"),
            ("Connection", "close"),
        ]
        self._wait()
        for part in (h11.Request(method="GET", target=path, headers=headers), h11.EndOfMessage()):
            self._stream.sendall(self._http.send(part) or b"")
        body = bytearray()
        while not isinstance(event := self._next(), h11.EndOfMessage):
            match event:
                case h11.Response() if event.status_code != _OK:
                    raise KeySetError(_refusal(event))
                case h11.Data():
                    body += event.data
            if len(body) > max_bytes:
                raise KeySetError(f"its answer is longer than {max_bytes} bytes (max_jwks)")
        return bytes(body)

    def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._wait()
            self._http.receive_data(self._stream.recv(_READ_BYTES))
        if isinstance(event, h11.ConnectionClosed):
            raise ConnectionError("it closed the connection before its answer")
        return event

    def _wait(self) -> None:
        """Set the socket's timeout for the next operation to the time until the deadline."""
        left_s = self._deadline - monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._stream.settimeout(left_s)


def _refusal(answer: h11.Response) -> str:
    if 300 <= answer.status_code < 400:
        return f"it answers {answer.status_code}: redirects are not followed, give the URL of the keys themselves"
    return f"it answers {answer.status_code}"


class Thread:
    """Runs one piece of work at a time, and does not wait for one that hangs."""

    def __init__(self) -> None:
        self.idle = asyncio.Event()
        self.idle.set()

    async def run(self, work: Callable[[], Result]) -> Result:
        """The result of `work`. Raises KeySetError while the previous work hangs."""
        if not self.idle.is_set():
            raise KeySetError("the request before still hangs, in the name server perhaps")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()

        def settle(result: Result | None, error: Exception | None) -> None:
            self.idle.set()
            if done.done():
                return
            if error is None:
                done.set_result(result)  # type: ignore[arg-type]  # one of the two
            else:
                done.set_exception(error)

        def run() -> None:
            result, fault = None, None
            try:
                result = work()
            except Exception as error:  # noqa: BLE001 - for who waits
                fault = error
            with contextlib.suppress(RuntimeError):  # the loop is closed, nothing waits
                loop.call_soon_threadsafe(settle, result, fault)

        threading.Thread(target=run, name="keys of the identity provider", daemon=True).start()
        self.idle.clear()
        return await done
