"""`chatd keep`: listening sockets that outlive the daemon, without systemd."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from chatd.cli import EXIT_CONFIG
from tests.chat.daemon import PATIENCE_S, ROOT, Daemon
from tests.chat.people import SECRET, Person, enter
from tests.cli.command import chatd as run_chatd
from tests.conformance.wire import Client

HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


class Asking(threading.Thread):
    """A client that opens sessions in a loop, each on a new connection."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.answered = 0
        self.refused: list[str] = []
        self._port = port
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.01):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
            try:
                connection.request("GET", HANDSHAKE, headers={"Connection": "close"})
                answer = connection.getresponse()
                if answer.status == http.HTTPStatus.OK:
                    self.answered += 1
                else:
                    self.refused.append(f"{answer.status} {answer.read()!r}")
            except OSError as error:
                self.refused.append(repr(error))
            finally:
                connection.close()

    def end(self) -> None:
        self._over.set()
        self.join()


@contextlib.contextmanager
def asking(port: int) -> Iterator[Asking]:
    client = Asking(port)
    client.start()
    try:
        yield client
    finally:
        client.end()


@contextlib.asynccontextmanager
async def kept(db: Path, *flags: str) -> AsyncIterator[Daemon]:
    """`chatd keep` and its daemon; all daemons log to one file."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CHATD_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chatd", "keep", "--db", str(db), "--port", "0", "--log-format", "json", *flags),
        cwd=ROOT,
        env={**environ, "CHATD_JWT_SECRET": SECRET, "CHATD_PRESENCE": "off"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    keeper = Daemon(process)
    try:
        listening = await keeper.logged("listening")
        async with Client("127.0.0.1", listening["port"], "/socket.io/") as client:
            keeper.client = client
            yield keeper
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def child_of(pid: int) -> int:
    [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


async def wrote(client: Client) -> Person:
    ana = await enter(client, "ana")
    assert (await ana.write("root", "hola"))["ok"]
    return ana


async def test_two_restarts_refuse_no_connection(tmp_path: Path) -> None:
    """C-20: every request is answered, and a client that reconnects gets its stored messages."""
    async with kept(tmp_path / "chat.db") as keeper:
        with asking(keeper.client.port) as client:
            for _ in range(2):
                ana = await wrote(keeper.client)
                before = client.answered
                keeper.process.send_signal(signal.SIGUSR2)
                await keeper.logged("stopped")
                await keeper.logged("listening")
                async with asyncio.timeout(PATIENCE_S):
                    while client.answered < before + 20:  # noqa: ASYNC110 - it is on another thread
                        await asyncio.sleep(0.01)
                ana.websocket.close()
            await wrote(keeper.client)
        assert (client.refused, client.answered > 40) == ([], True)
        assert len([line for line in keeper.log if line["message"] == "listening"]) == 3
        keeper.terminate()
        assert await keeper.ended() == 0


async def test_a_dead_daemon_is_restarted_and_gets_sighup(tmp_path: Path) -> None:
    """C-27"""
    unix = tmp_path / "chat.sock"
    async with kept(tmp_path / "chat.db", "--unix", str(unix)) as keeper:
        keeper.process.send_signal(signal.SIGHUP)
        await keeper.logged("reloaded")
        os.kill(child_of(keeper.process.pid), signal.SIGKILL)
        await wrote(keeper.client)
        assert unix.is_socket()
        keeper.terminate()
        assert await keeper.ended() == 0
    assert not unix.exists()


def test_keep_ends_if_the_daemon_cannot_start(tmp_path: Path) -> None:
    done = run_chatd("keep", "--db", tmp_path / "none" / "chat.db", "--port", "0", CHATD_JWT_SECRET=SECRET)
    assert (done.returncode, "does not exist" in done.stderr) == (EXIT_CONFIG, True)
