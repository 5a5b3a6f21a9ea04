"""Frames straight into descriptors: real sockets, one of them full and one of them gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from chatd.engineio.direct import NO_FD, NoDescriptor, deliver_to_all, write_now
from chatd.engineio.outgoing import Outgoing, OutgoingText

HELLO = OutgoingText(b"4hello")


class Ready:
    """A recipient whose descriptor takes frames; it notes what was left to it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.rests: list[int] = []

    @property
    def transport(self) -> Ready:
        return self

    def deliver(self, packets: Outgoing) -> None:
        raise AssertionError("its descriptor was there")

    def deliver_rest(self, packets: Outgoing, sent_bytes: int) -> None:
        self.rests.append(sent_bytes)


class Asked(NoDescriptor):
    """A recipient that must be asked; it notes with what."""

    def __init__(self) -> None:
        self.writes: list[Outgoing] = []

    @property
    def transport(self) -> Asked:
        return self

    def deliver(self, packets: Outgoing) -> None:
        self.writes.append(packets)


Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    made = [socket.socketpair() for _ in range(4)]
    for ours, _ in made:
        ours.setblocking(False)
    yield made
    for ours, theirs in made:
        ours.close()
        theirs.close()


def fill(ours: socket.socket) -> None:
    """Until the kernel takes no more."""
    while write_now(ours.fileno(), bytes(65_536)):
        pass


def test_everybody_gets_the_frame_whoever_is_full_or_gone(pairs: list[Pair]) -> None:
    fill(pairs[1][0])
    pairs[2][1].close()
    ready = [Ready(ours.fileno()) for ours, _ in pairs]
    deliver_to_all(ready, HELLO)
    assert [one.rests for one in ready] == [[], [0], [0], []]
    assert [pairs[at][1].recv(100) for at in (0, 3)] == [HELLO.frame, HELLO.frame]


def test_what_does_not_fit_is_left_to_the_transport(pairs: list[Pair]) -> None:
    long = OutgoingText(b"4" + b"x" * 10_000_000)
    one = Ready(pairs[0][0].fileno())
    deliver_to_all([one], long)
    assert len(one.rests) == 1
    assert 0 < one.rests[0] < len(long.frame)


def test_those_without_a_descriptor_are_asked(pairs: list[Pair]) -> None:
    asked, ready = Asked(), Ready(pairs[0][0].fileno())
    assert asked.fd == NO_FD
    deliver_to_all([asked, ready], HELLO)
    assert asked.writes == [HELLO]
    assert pairs[0][1].recv(100) == HELLO.frame


def test_a_write_to_nobody_takes_nothing(pairs: list[Pair]) -> None:
    pairs[0][1].close()
    assert write_now(pairs[0][0].fileno(), HELLO.frame) == 0
