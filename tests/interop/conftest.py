"""Fixtures: the matrix of clients and transports, and the servers."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from bench.ports import free_port
from tests.interop import processes
from tests.interop.chat import SECRET, Chat
from tests.interop.node import Driver, JsSocket, bun_executable, node_executable, running_driver
from tests.interop.processes import Server, running

HERE: Final = Path(__file__).parent
RELEASES: Final = ("3.1", "4.0", "4.8")
BUN: Final = "4.8 on Bun"
# The client's own default is polling first, then the upgrade.
TRANSPORTS: Final[dict[str, dict[str, Any]]] = {
    "polling": {"transports": ["polling"]},
    "websocket": {"transports": ["websocket"]},
    "default": {},
}


# Marks of tests that need more than `make setup` installs; an option of the same name runs them.
ON_DEMAND: Final = ("every_client", "artillery")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the tests of this folder on one event loop, since they share the JavaScript processes."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    off = [mark for mark in ON_DEMAND if not config.getoption(mark)]
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in off)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@contextlib.contextmanager
def running_chat(folder: Path, *flags: str) -> Iterator[Chat]:
    """A `chatd serve` process with database and secret in `folder`."""
    secret_file = folder / "secret"
    secret_file.write_text(SECRET)
    secret_file.chmod(0o600)
    port, db = free_port(), folder / "chat.db"
    with running(processes.chat_command(port, db, secret_file, *flags), port, folder / "chatd.log") as server:
        yield Chat(server, db)


@dataclasses.dataclass(frozen=True, slots=True)
class Client:
    """One cell of the matrix: a release of socket.io-client with a choice of transports."""

    node: Driver
    transports: str

    async def open(self, url: str, **options: Any) -> JsSocket:
        """`io(url, options)`; does not wait for the connection."""
        return await self.node.open(url, **TRANSPORTS[self.transports], **options)

    async def connected(self, url: str, **options: Any) -> JsSocket:
        """`io(url, options)`, after its `connect` event."""
        socket = await self.open(url, **options)
        await socket.connected()
        return socket


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=TRANSPORTS)
def transports(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def drivers() -> AsyncIterator[dict[str, Driver]]:
    """A process for each release, and one of Bun, shared by all tests; each test closes its sockets."""
    starting = {release: running_driver(node_executable(), release) for release in RELEASES}
    starting[BUN] = running_driver(bun_executable(), "4.8")
    async with contextlib.AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(process) for name, process in starting.items()}


@pytest_asyncio.fixture(loop_scope="session")
async def node(drivers: dict[str, Driver], release: str) -> AsyncIterator[Driver]:
    yield drivers[release]
    await drivers[release].forget()


@pytest.fixture
def client(node: Driver, transports: str) -> Client:
    return Client(node, transports)


@pytest_asyncio.fixture(loop_scope="session")
async def matrix(drivers: dict[str, Driver]) -> AsyncIterator[list[Client]]:
    """All cells at once, for tests in which all clients of one server are affected together."""
    yield [Client(driver, transports) for driver in drivers.values() for transports in TRANSPORTS]
    for driver in drivers.values():
        await driver.forget()


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def echo(logs: Path) -> Iterator[Server]:
    """One echo server, shared by the tests that do not stop it."""
    port = free_port()
    with running(processes.echo_command(port), port, logs / "echo.log") as server:
        yield server


@pytest.fixture(scope="session")
def strict_echo(logs: Path) -> Iterator[Server]:
    """An echo server that pings every 300 ms."""
    port = free_port()
    command = processes.strict_echo_command(port)
    with running(command, port, logs / "strict_echo.log", ends_with=-signal.SIGTERM) as server:
        yield server


@pytest.fixture
def own_echo(tmp_path: Path) -> Iterator[Server]:
    """An echo server that the test may stop and start."""
    port = free_port()
    with running(processes.echo_command(port), port, tmp_path / "echo.log") as server:
        yield server


@pytest.fixture
def node_echo(tmp_path: Path) -> Iterator[Server]:
    """An echo server on the reference implementation; the test may kill and start it."""
    port = free_port()
    command = processes.node_echo_command(port)
    with running(command, port, tmp_path / "node.log", ends_with=-signal.SIGTERM) as server:
        yield server


@pytest.fixture(scope="session")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    """One daemon, shared by the tests that do not stop it; each test uses new user names."""
    with running_chat(tmp_path_factory.mktemp("chat")) as started:
        yield started


@pytest.fixture
def own_chat(tmp_path: Path) -> Iterator[Chat]:
    """A daemon that the test may stop and start."""
    with running_chat(tmp_path) as started:
        yield started
