"""Real reverse proxies in front of a daemon, with README.md's configurations and with worse ones."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.ops.tools import tool

ROOT: Final = Path(__file__).parents[2]
PATIENCE_S: Final = 10.0

ONE_NODE: Final = "### Behind a proxy"
SEVERAL_NODES: Final = "### Several nodes behind a proxy"
MOVING: Final = "### A node at a time"

NGINX: Final = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {shown}
}}
"""
CADDY: Final = """\
{{
    admin off
    grace_period 1s
    auto_https disable_redirects
    storage file_system {folder}
}}
{shown}
"""


@dataclass(frozen=True)
class Place:
    """The port of a proxy, the port behind it, and its certificate."""

    folder: Path
    port: int
    backend: int
    certificate: Path
    key: Path

    @property
    def pem(self) -> Path:
        """Certificate and key in one file."""
        file = self.folder / "both.pem"
        file.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        return file


@dataclass(frozen=True)
class Proxy:
    """A proxy program, and the replacements that make README.md's configuration run in a test."""

    name: str
    package: str
    language: str
    around: str
    command: Callable[[Path], tuple[str, ...]]
    replaced: Callable[[Place], dict[str, str]]

    def readme_configuration(self, heading: str = ONE_NODE) -> str:
        """The configuration below that heading of README.md."""
        page = (ROOT / "README.md").read_text(encoding="utf-8")
        [below] = page.split(f"\n{heading}\n")[1:]
        [found] = re.findall(rf"```{self.language}\n(.*?)```", re.split(r"\n##+ ", below)[0], re.DOTALL)
        return str(found)

    def placed(self, configuration: str, place: Place, backends: Mapping[int, int] | None = None) -> str:
        """`configuration` with the test's ports and files; each must occur. `backends`: README's ports and ours."""
        for was, now in {**self.replaced(place), **_addresses(backends or {8400: place.backend})}.items():
            assert was in configuration
            configuration = configuration.replace(was, now)
        return configuration

    @contextlib.asynccontextmanager
    async def running(self, configuration: str, place: Place) -> AsyncIterator[None]:
        """Run the proxy with a configuration from `placed`, once it accepts connections."""
        user = "user root;" if os.geteuid() == 0 else ""
        file = place.folder / f"{self.name}.conf"
        file.write_text(self.around.format(folder=place.folder, user=user, shown=configuration), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *(tool(self.name, self.package), *self.command(file)),
            cwd=place.folder,
            env={**os.environ, "HOME": str(place.folder), "XDG_CONFIG_HOME": str(place.folder)},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await _accepts(process, place.port)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


nginx: Final = Proxy(
    "nginx",
    "nginx-light",
    "nginx",
    NGINX,
    lambda file: ("-c", str(file), "-p", str(file.parent), "-e", str(file.parent / "error.log")),
    lambda place: {
        "listen 443 ssl;": f"listen 127.0.0.1:{place.port} ssl;",
        "/etc/ssl/chat.example.com.crt": str(place.certificate),
        "/etc/ssl/chat.example.com.key": str(place.key),
        "server_name chat.example.com;": "server_name 127.0.0.1;",
    },
)
caddy: Final = Proxy(
    "caddy",
    "caddy",
    "caddyfile",
    CADDY,
    lambda file: ("run", "--adapter", "caddyfile", "--config", str(file)),
    lambda place: {
        # the test has no domain name, so no authority would sign a certificate
        "chat.example.com {": f"https://127.0.0.1:{place.port} {{\n    tls {place.certificate} {place.key}",
    },
)
haproxy: Final = Proxy(
    "haproxy",
    "haproxy",
    "haproxy",
    "{shown}",
    lambda file: ("-db", "-f", str(file)),
    lambda place: {
        "bind :443": f"bind 127.0.0.1:{place.port}",
        "/etc/ssl/chat.example.com.pem": str(place.pem),
    },
)


def _addresses(ports: Mapping[int, int]) -> dict[str, str]:
    return {f"127.0.0.1:{was}": f"127.0.0.1:{now}" for was, now in ports.items()}


async def _accepts(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            assert process.returncode is None, (await process.communicate())[1]
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)
