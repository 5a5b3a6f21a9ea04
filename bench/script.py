"""A script of bench/clients in a Node.js process: orders are JSON lines, and each has one answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import build
from bench.load import LoadError

FOLDER: Final = build.HERE / "clients"
LONGEST_LINE: Final = 256 << 20  # the report of a run is one line


class Script:
    """Raises LoadError when the script fails, ends, or gives no answer for `patience_s`."""

    def __init__(self, process: asyncio.subprocess.Process, patience_s: float) -> None:
        self._process = process
        self._patience_s = patience_s

    async def order(self, do: str, **details: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode({"do": do, **details}) + b"\n")
        return await self.answer()

    async def answer(self) -> Any:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(self._patience_s):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise LoadError("the clients fell silent") from None
        answer = msgspec.json.decode(line or b'{"error": "the clients ended"}')
        if "ok" not in answer:
            raise LoadError(answer["error"])
        return answer["ok"]


@contextlib.asynccontextmanager
async def script(name: str, node: Path, folder: Path, client: str, patience_s: float) -> AsyncIterator[Script]:
    """A process for the time of a block, with the package `client` of `folder`/node_modules."""
    process = await asyncio.create_subprocess_exec(
        str(node),
        str(FOLDER / name),
        str(folder),
        client,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    try:
        running = Script(process, patience_s)
        await running.answer()  # the script is ready
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
