"""Frames written directly to descriptors: real sockets, one with a full buffer and one closed."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from chatd.engineio.direct import NO_FD, NoDescriptor, deliver_to_all, write_now
from chatd.engineio.outgoing import Outgoing, OutgoingText

HELLO = OutgoingText(b"4hello")


class Ready:
    """A recipient whose descriptor accepts frames; it records what is left to its transport."""

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
    """A recipient without a descriptor; it records what is delivered."""

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
    """Write until the kernel's buffer is full."""
    while write_now(ours.fileno(), bytes(65_536)):
        pass


def test_every_recipient_gets_the_frame_although_others_are_full_or_closed(pairs: list[Pair]) -> None:
    fill(pairs[1][0])
    pairs[2][1].close()
    ready = [Ready(ours.fileno()) for ours, _ in pairs]
    deliver_to_all(ready, HELLO)
    assert [one.rests for one in ready] == [[], [0], [0], []]
    assert [pairs[at][1].recv(100) for at in (0, 3)] == [HELLO.frame, HELLO.frame]


def test_the_rest_of_a_partial_write_is_left_to_the_transport(pairs: list[Pair]) -> None:
    long = OutgoingText(b"4" + b"x" * 10_000_000)
    one = Ready(pairs[0][0].fileno())
    deliver_to_all([one], long)
    assert len(one.rests) == 1
    assert 0 < one.rests[0] < len(long.frame)


def test_a_recipient_without_a_descriptor_is_delivered_the_packets(pairs: list[Pair]) -> None:
    asked, ready = Asked(), Ready(pairs[0][0].fileno())
    assert asked.fd == NO_FD
    deliver_to_all([asked, ready], HELLO)
    assert asked.writes == [HELLO]
    assert pairs[0][1].recv(100) == HELLO.frame


def test_a_write_without_recipients_does_nothing(pairs: list[Pair]) -> None:
    pairs[0][1].close()
    assert write_now(pairs[0][0].fileno(), HELLO.frame) == 0
