"""A receiver that accepts every event: `python -m bench.webhook.receiver PORT`. It prints a line when it listens, and
the number of accepted events for each line on stdin.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Final

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TAKEN: Final = b"HTTP/1.1 204 No Content\r\n\r\n"

taken = 0


class Taking(asyncio.Protocol):
    """Answers each request once its body is complete."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._bytes = bytearray()

    def data_received(self, data: bytes) -> None:
        global taken  # noqa: PLW0603 - one process, one count
        self._bytes += data
        while (at := self._bytes.find(_HEAD_END)) >= 0:
            length = _LENGTH.search(self._bytes[:at])
            size = at + len(_HEAD_END) + (0 if length is None else int(length[1]))
            if len(self._bytes) < size:
                return
            del self._bytes[:size]
            taken += 1
            self._transport.write(_TAKEN)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Taking, "127.0.0.1", port)
    asked = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    print("ready", flush=True)
    while await asked.readline():
        print(taken, flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
