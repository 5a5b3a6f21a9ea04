"""A real nginx in front of a daemon, with the configuration that README.md shows or a worse one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from tests.ops.tools import tool

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 10.0

AROUND: Final = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


def readme_configuration() -> str:
    """What the page tells people to write."""
    [found] = re.findall(r"```nginx\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def fitted(configuration: str, port: int, backend: int, certificate: Path, key: Path) -> str:
    """The same for this machine: every replacement must find its place."""
    for was, now in {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "127.0.0.1:8400": f"127.0.0.1:{backend}",
        "/etc/ssl/chat.example.com.crt": str(certificate),
        "/etc/ssl/chat.example.com.key": str(key),
        "server_name chat.example.com;": "server_name 127.0.0.1;",
    }.items():
        assert was in configuration
        configuration = configuration.replace(was, now)
    return configuration


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextlib.asynccontextmanager
async def nginx(folder: Path, servers: str, port: int) -> AsyncIterator[None]:
    """It runs and accepts."""
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(AROUND.format(folder=folder, user=user, servers=servers), encoding="utf-8")
    command = (tool("nginx", "nginx-light"), "-c", str(file), "-p", str(folder), "-e", str(folder / "error.log"))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        await _accepts(process, port)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _accepts(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            assert process.returncode is None, (await process.communicate())[1]
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)
