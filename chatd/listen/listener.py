"""Accepts the connections of one socket.

Replaces asyncio's `create_server`, which accepts a whole backlog in one turn of the event loop and, when no files are
left, retries in a loop while the clients hang. This class opens a few connections in a turn, addresses in rotation
(arrivals.py), so that open connections are served in between. When no files are left, new connections are answered 503
and closed. Rules L-09 and L-10 of protocol.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from asyncio import selector_events
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from chatd.base.refusals import Refusals
from chatd.base.tasks import Tasks
from chatd.listen.arrivals import Arrivals
from chatd.listen.files import RESERVED
from chatd.listen.limits import ListenLimit

if TYPE_CHECKING:
    from chatd.listen.tls import Tls

# A connection takes 0.3 ms until it is in a room. With all of 3,000 new connections in one turn, the p99 of messages to
# other clients was 2,080 ms.
OPENED_PER_TURN: Final = 8

# To accept a connection takes 20 µs.
ACCEPTED_PER_TURN: Final = 64

# How long no connection is accepted when the process is out of files or memory.
PAUSE_S: Final = 1.0

# Unfinished TLS handshakes, in total and per address. Each holds 50 KB until the client goes on or times out.
MAX_HANDSHAKES: Final = 1_000
MAX_HANDSHAKES_PER_ADDRESS: Final = 100

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

# Bytes read from one connection in one turn, as with TLS (tls.py); asyncio reads 256 KB. Other clients wait while the
# data is handled, and it may hold an empty frame in every six bytes.
READ_BYTES: Final = 16_384

_BODY: Final = b'{"code":6,"message":"Try again later","detail":"open_files"}'
BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: %d\r\n"
    b"Retry-After: 10\r\n"
    b"Connection: close\r\n\r\n%b"
) % (len(_BODY), _BODY)

log = logging.getLogger("chatd.listen")


def bound_reads() -> None:
    """Limit every read of asyncio in this process to READ_BYTES."""
    vars(selector_events)["_SelectorTransport"].max_size = READ_BYTES


class Listener:
    """Accepts connections of one socket, from `start` to `close`. `make` returns the protocol of a connection."""

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], asyncio.Protocol],
        refusals: Refusals[ListenLimit],
        arrivals: Arrivals,
        *,
        max_files: int | None,
        tls: Tls | None,
    ) -> None:
        self.socket = listening
        self.tls = tls
        self._make = make
        self._refusals = refusals
        self._max_files = max_files
        self._arrivals = arrivals
        self._in_turns = False  # whether the next turn opens waiting connections
        self._handshakes: Counter[str] = Counter()
        self._opening = Tasks()
        self._pause: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        bound_reads()

    def start(self) -> None:
        self._pause = None
        self._loop.add_reader(self.socket, self._accept)

    def close(self) -> None:
        """Stop accepting and close the socket; accepted connections stay."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self.socket)
        self.socket.close()

    def _accept(self) -> None:
        for _ in range(ACCEPTED_PER_TURN):
            try:
                accepted, address = self.socket.accept()
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._on_exhausted(error)
                    break
                continue  # the connection has failed already: accept(2) reports its error
            accepted.setblocking(False)
            self._take(accepted, address)
        if not self._in_turns:
            self._open_some()

    def _take(self, accepted: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        # A new descriptor is the lowest free number, so it tells how many files are open.
        if self._max_files is not None and accepted.fileno() >= self._max_files - RESERVED:
            why = f"connection refused: the process may have {self._max_files} files open"
            self._refusals.add(ListenLimit.OPEN_FILES, why, address=host)
            self._answer_busy(accepted)
        elif _is_closed(accepted):
            accepted.close()
        elif not self._arrivals.add(accepted, host):
            why = "connection refused: too many of its address wait to be opened"
            self._refusals.add(ListenLimit.MAX_CONNECTIONS_PER_ADDRESS, why, address=host)
            accepted.close()

    def _open_some(self) -> None:
        """Open the next waiting connections; the rest follows in later turns."""
        for accepted, host in self._arrivals.take(OPENED_PER_TURN):
            if _is_closed(accepted):
                accepted.close()
            else:
                self._begin(accepted, host)
        self._in_turns = bool(self._arrivals)
        if self._in_turns:
            self._loop.call_soon(self._open_some)

    def _begin(self, accepted: socket.socket, host: str) -> None:
        if self.tls is None:
            self._open(accepted)
        elif self._handshakes.total() >= MAX_HANDSHAKES or self._handshakes[host] >= MAX_HANDSHAKES_PER_ADDRESS:
            why = "connection refused: too many TLS handshakes are unfinished"
            self._refusals.add(ListenLimit.TLS_HANDSHAKES, why, address=host)
            accepted.close()
        else:
            self._handshakes[host] += 1  # now and not in the task, because a turn accepts several connections
            self._opening.start(self._open_tls(accepted, self.tls, host), "accept")

    def _open(self, accepted: socket.socket) -> None:
        """Calls the private method below `connect_accepted_socket`, whose task and future take 40 µs."""
        with contextlib.suppress(OSError):  # the peer has closed already
            cast(Any, self._loop)._make_socket_transport(accepted, self._make())  # noqa: SLF001

    async def _open_tls(self, accepted: socket.socket, tls: Tls, host: str) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._make, accepted, ssl=tls.context, ssl_handshake_timeout=tls.handshake_timeout_s
            )
        except OSError as error:  # ssl.SSLError is one
            self._refusals.counts[ListenLimit.TLS_FAULT] += 1
            log.debug("TLS handshake failed: %s", error, extra={"address": host})
        finally:
            self._handshakes[host] -= 1
            if not self._handshakes[host]:
                del self._handshakes[host]

    def _answer_busy(self, accepted: socket.socket) -> None:
        """Answer 503 without waiting for the request, if the answer can be sent at once; then close."""
        with contextlib.suppress(OSError), accepted:
            if self.tls is None:
                with contextlib.suppress(BlockingIOError):
                    accepted.recv(READ_BYTES)  # closing with bytes unread would reset the connection
                accepted.send(BUSY)

    def _on_exhausted(self, error: OSError) -> None:
        self._refusals.add(ListenLimit.OPEN_FILES, f"no connection can be accepted: {error.strerror}")
        self._loop.remove_reader(self.socket)
        self._pause = self._loop.call_later(PAUSE_S, self.start)


def _is_closed(accepted: socket.socket) -> bool:
    """Whether the client has closed without a request."""
    try:
        return not accepted.recv(1, socket.MSG_PEEK)
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
