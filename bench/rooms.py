"""Rooms: microseconds to join, to leave and to find the recipients of an emit, at 1 to 100,000 sockets.

Every socket is in its own room (`user:<n>`), every tenth of the first hundred also in `admins`. The figures must
not grow with the number of sockets: the cost of an emit depends on the room, not on the server.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final

from bench import svg, timing
from bench.options import Options
from bench.report import Report
from chatd.socketio.rooms import Rooms

SOCKETS: Final = (1, 10, 100, 1_000, 10_000, 100_000)
ADMINS: Final = 10
OPERATIONS: Final = ("join and leave", "join two rooms, leave all", "union of two rooms")


class Member:
    """Stands for a socket; hashed by identity, like sockets."""

    __slots__ = ()


def _unchanged(_: Set[Member]) -> None:
    """Does nothing: no cache of members here."""


def filled(count: int) -> Rooms[Member]:
    rooms: Rooms[Member] = Rooms(_unchanged)
    for number in range(count):
        member = Member()
        rooms.join(member, f"user:{number}")
        if number % 10 == 0 and number < 10 * ADMINS:
            rooms.join(member, "admins")
    return rooms


def costs(count: int, target_s: float) -> tuple[float, float, float]:
    """The costs in the order of OPERATIONS."""
    rooms, newcomer = filled(count), Member()

    def come_and_go() -> None:
        rooms.join(newcomer, "admins")
        rooms.leave(newcomer, "admins")

    def connect_and_disconnect() -> None:
        rooms.join(newcomer, "user:new")
        rooms.join(newcomer, "admins")
        rooms.leave_all(newcomer)

    def recipients() -> None:
        rooms.union(("user:0", "admins"))

    return (
        timing.microseconds(come_and_go, target_s=target_s),
        timing.microseconds(connect_and_disconnect, target_s=target_s),
        timing.microseconds(recipients, target_s=target_s),
    )


def run(options: Options) -> None:
    measure(Report("rooms", ("chatd",), options.folder), SOCKETS, timing.TARGET_S)


def measure(report: Report, sockets: tuple[int, ...], target_s: float) -> None:
    figures = {count: costs(count, target_s) for count in sockets}
    for count, values in figures.items():
        report.add("chatd", {"sockets": count}, {"us": dict(zip(OPERATIONS, values, strict=True))})
    rows = [[f"{count}", *(f"{value:.2f}" for value in values)] for count, values in figures.items()]
    report.table("rooms: us for one operation", ["sockets on the server", *OPERATIONS], rows)
    chart = svg.Lines(
        title="Rooms: what an operation costs as the server fills",
        subtitle=f"`admins` has {ADMINS} members; every socket is in a room of its own",
        series=[
            svg.Line(name, [(float(count), values[i]) for count, values in figures.items()], i)
            for i, name in enumerate(OPERATIONS)
        ],
        x_unit="sockets on the server",
        y_unit="microseconds",
    )
    report.chart("rooms", chart.render())
    report.write()
