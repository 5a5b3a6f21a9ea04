"""A server together with its load generator. A run has several rigs at once."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import machine, tokens
from bench.load import ADMINS, BYSTANDERS, SENDER, Load, LoadError, Run, Workload
from bench.peers import Peer
from bench.server import LONG_PING_S, Server, ServerError, running

_START: Final = time.monotonic()

BYSTANDER_COUNT: Final = 10  # users who are online and must not receive any message


def admin_name(index: int) -> str:
    return f"a{index}"


def user_name(index: int) -> str:
    return f"u{index}"


@dataclass(frozen=True, slots=True)
class People:
    """The users with tokens: the admins first, then the users. A token's number is its line in the file."""

    admins: int
    users: int

    def first_user(self) -> int:
        return self.admins

    def write_tokens(self, path: Path) -> None:
        admins = [(admin_name(i), "admin") for i in range(self.admins)]
        tokens.write(path, admins + [(user_name(i), "user") for i in range(self.users)])


@dataclass(frozen=True, slots=True)
class Rig:
    """One server with its generator."""

    server: Server
    load: Load
    people: People

    @property
    def name(self) -> str:
        return self.server.peer.name

    def join(self, recipients: int) -> None:
        """Connect the admins, the sending user, and bystanders that must receive nothing."""
        first = self.people.first_user()
        self.load.open(ADMINS, 0, recipients)
        self.load.open(SENDER, first, 1)
        self.load.open(BYSTANDERS, first + 1, BYSTANDER_COUNT)

    def part(self) -> None:
        for group in (ADMINS, SENDER, BYSTANDERS):
            self.load.close(group)

    def run(self, workload: Workload) -> Run:
        """Run a workload; if the server has died, the error has the end of its log."""
        try:
            result = self.load.run(workload)
        finally:
            self.server.check()
        return result


@contextlib.contextmanager
def rig(peer: Peer, people: People, ping_interval_s: float = LONG_PING_S) -> Iterator[Rig]:
    """Start one server and its generator, each on its core."""
    cores = machine.cores()
    with running(peer, cores.server, ping_interval_s) as server:
        token_file = server.log.parent / "tokens"
        people.write_tokens(token_file)
        with Load(peer.name, server.port, server.pid, token_file, cores.load) as load:
            yield Rig(server, load, people)


@contextlib.contextmanager
def rigs(peers: Sequence[Peer], people: People) -> Iterator[list[Rig]]:
    """All servers of a run, started together; idle ones cost nothing, since heartbeats are rare."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(rig(peer, people)) for peer in peers]


def interleaved(rigs: Sequence[Rig], rounds: int, workload: Workload, slow_s: float) -> dict[str, list[Run]]:
    """Round by round, each server in turn: a noisy minute affects all of them.

    A server whose round takes longer than `slow_s` seconds (messages in flight must arrive) gets only that one.
    """
    results: dict[str, list[Run]] = {rig.name: [] for rig in rigs}
    for number in range(rounds):
        for rig in rigs:
            done = results[rig.name]
            if number > 0 and done[-1].seconds > slow_s:
                continue
            done.append(rig.run(workload))
    return results


def say(text: str) -> None:
    """Print progress to stderr: stdout has the tables."""
    print(f"bench: {time.monotonic() - _START:3.0f} s: {text}", file=sys.stderr, flush=True)


__all__ = ["LoadError", "People", "Rig", "ServerError", "admin_name", "interleaved", "rig", "rigs", "say", "user_name"]
