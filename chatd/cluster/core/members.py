"""Tracks the living nodes by the time of their last frame. Times are seconds of a monotonic clock."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from typing import Final, NamedTuple

LEASE_S: Final = 3.0
"""A node without a frame for this long counts as down, and its users as offline. Twelve beats."""


class Turn(enum.Enum):
    """A change of the state of a node."""

    CAME = "came"
    RESTARTED = "restarted"
    LEFT = "left"


class Change(NamedTuple):
    node: int
    turn: Turn


@dataclasses.dataclass(slots=True)
class Member:
    """`lives` is False for an expected node without a frame yet."""

    epoch: int
    heard_s: float
    lives: bool = False
    heard_lately: bool = False  # whether a frame came since the bus came up


class Members:
    """All nodes but this one."""

    __slots__ = ("_members",)

    def __init__(self, expected: Iterable[int], now_s: float) -> None:
        """`expected`: the nodes in the table of nodes; each has one lease to send a frame."""
        self._members = {node: Member(0, now_s) for node in expected}

    @property
    def living(self) -> list[int]:
        return sorted(node for node, member in self._members.items() if member.lives)

    def epoch(self, node: int) -> int | None:
        """The epoch of a living node's process; None if it does not live."""
        member = self._members.get(node)
        return member.epoch if member is not None and member.lives else None

    def heard_since(self, time_s: float) -> list[int]:
        """The living nodes whose last frame is not older than `time_s`."""
        return [node for node, member in self._members.items() if member.lives and member.heard_s >= time_s]

    def silent_s(self, now_s: float) -> dict[int, float]:
        """Seconds since the last frame of each living node."""
        return {node: now_s - member.heard_s for node, member in sorted(self._members.items()) if member.lives}

    @property
    def are_compared(self) -> bool:
        """Whether a frame of every node came since the bus came up: then this node knows how far it is behind."""
        return all(member.heard_lately for member in self._members.values())

    def heard(self, node: int, epoch: int, now_s: float) -> Change | None:
        """A frame of that node arrived. A frame of an earlier epoch, sent before the node died, is ignored."""
        member = self._members.setdefault(node, Member(epoch, now_s))
        if epoch < member.epoch:
            return None
        turn = _turn(member, epoch)
        member.epoch = epoch
        member.heard_s = now_s
        member.lives = member.heard_lately = True
        return None if turn is None else Change(node, turn)

    def tick(self, now_s: float) -> list[Change]:
        """Nodes whose lease has expired; they count as down until their next frame."""
        gone = [node for node, member in self._members.items() if now_s - member.heard_s >= LEASE_S]
        return [Change(node, Turn.LEFT) for node in gone if self._members.pop(node).lives]

    def bus_came_up(self, now_s: float) -> None:
        """No frame could arrive during the outage: each node gets a new lease from now on."""
        for member in self._members.values():
            member.heard_s = now_s
            member.heard_lately = False

    def slept(self, seconds: float) -> None:
        """This process stalled for that long, and has not read the frames of the others yet."""
        for member in self._members.values():
            member.heard_s += seconds


def _turn(member: Member, epoch: int) -> Turn | None:
    if not member.lives:
        return Turn.CAME
    return Turn.RESTARTED if epoch > member.epoch else None
