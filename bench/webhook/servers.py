"""chatd with an API, with or without a webhook; and the receiver of its events."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import secrets
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from bench import build, machine
from bench.peers import PEERS, Command, Launch, Peer
from bench.ports import free_port
from bench.server import Server, running
from chatd.api.keys import Key, Scope, digest_of, new_key

BOT: Final = "bot"
"""The sender on both ways: an admin, and the name of an API key."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stand:
    """A running server, and the parameters of an API request."""

    server: Server
    api_port: int
    key: str


@contextlib.contextmanager
def stand(hook_port: int | None = None) -> Iterator[Stand]:
    """With `hook_port`, every message is sent to the receiver at that port."""
    api_port, key = free_port(), new_key()
    with running(_with_api(api_port, key, hook_port), machine.cores().server) as server:
        yield Stand(server, api_port, key)


@contextlib.contextmanager
def receiver(port: int) -> Iterator[subprocess.Popen[str]]:
    """A receiver on the core of the load."""
    with machine.pinned(machine.cores().load):
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.webhook.receiver", str(port)],
            cwd=build.HERE.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def taken(process: subprocess.Popen[str]) -> int:
    """The number of events that the receiver has accepted so far."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def _with_api(api_port: int, key: str, hook_port: int | None) -> Peer:
    usual = PEERS["chatd"]

    def command(launch: Launch) -> Command:
        keys = launch.folder / "keys"
        keys.write_text(Key(BOT, frozenset(Scope), digest_of(key)).line() + "\n")
        plain = usual.command(launch)
        flags = ["--api", f"127.0.0.1:{api_port}", "--api-keys-file", str(keys), "--api-rate", "0"]
        flags += ["--api-max-connections", "1000"]
        flags += ["--api-max-connections-per-address", "0", "--api-max-connections-per-key", "0"]
        if hook_port is not None:
            flags += ["--config", _config(launch, hook_port)]
        return Command([*plain.argv, *flags], plain.env)

    return dataclasses.replace(usual, command=command)


def _config(launch: Launch, port: int) -> str:
    """A configuration file with the webhook, which also gets private messages of admins."""
    secret, config = launch.folder / "whsec", launch.folder / "chatd.toml"
    secret.write_text("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())
    secret.chmod(0o600)
    config.write_text(
        f'[[webhook]]\nname = "bench"\nurl = "http://127.0.0.1:{port}/"\nsecret_file = "{secret}"\n'
        "private = true\nprivate_addresses = true\n"
    )
    return str(config)
