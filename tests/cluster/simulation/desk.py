"""The connections of one process: a reconnected client gets missed messages, then live ones."""

from __future__ import annotations

from collections.abc import Callable

from chatd.cluster.core import position
from chatd.cluster.core.node import Node
from chatd.cluster.core.receiver import Receiver
from chatd.cluster.core.replay import Delivery
from tests.cluster.simulation.around import Surroundings
from tests.cluster.simulation.client import Connection
from tests.cluster.simulation.database import PAGE_ROWS
from tests.cluster.simulation.message import Said

Wrap = Callable[..., Callable[..., None]]


class Desk:
    def __init__(self, around: Surroundings, answer: Wrap) -> None:
        """`answer` wraps a call so that the process gets it only while it lives and is not suspended."""
        self._around = around
        self._answer = answer
        self._connections: list[Connection] = []

    def open(self, node: Node[Said], connection: Connection, text: str | None) -> None:
        """`text` is the position of a client that reconnects."""
        if not connection.is_open:
            return
        self._connections.append(connection)
        if text is None:
            connection.client.send(connection, None, node.vector)
            return
        connection.receiver = Receiver(self._around.scheme(position.decode(text)))
        self._join(node, connection, connection.receiver)

    def forget(self, connection: Connection) -> None:
        self._connections = [one for one in self._connections if one is not connection]

    def close(self) -> None:
        """The process has ended."""
        for connection in self._connections:
            self._around.clock.after(5, connection.client.end, connection)

    def give(self, deliveries: list[Delivery[Said]]) -> None:
        """Send messages that were applied here, in that order."""
        for delivery in deliveries:
            for connection in self._connections:
                if connection.client.concerns(delivery.item):
                    self._give_one(connection, delivery)

    def _join(self, node: Node[Said], connection: Connection, receiver: Receiver[Said]) -> None:
        node.join(receiver, connection.client.concerns)
        self._catch_up(node, connection, receiver)

    def _catch_up(self, node: Node[Said], connection: Connection, receiver: Receiver[Said]) -> None:
        missing = receiver.missing
        if missing is not None:
            concerns, database = connection.client.concerns, self._around.database
            database.ask(
                lambda: database.read(missing.after, missing.upto, concerns, PAGE_ROWS),
                self._answer(self._on_page, node, connection, receiver),
            )
            return
        waiting = receiver.end()
        if waiting is None:
            self._around.verdict.met["more came during a replay than may wait"] += 1
            self._join(node, connection, receiver)
            return
        self._around.verdict.met["recovered"] += 1
        self._send(connection, waiting)
        connection.client.send(connection, None, receiver.position)
        if receiver.is_like_others:
            connection.receiver = None

    def _on_page(
        self, node: Node[Said], connection: Connection, receiver: Receiver[Said], rows: list[Said] | None
    ) -> None:
        if rows is None:
            connection.client.end(connection)
        elif connection.is_open and receiver.missing is not None:
            upto = rows[-1].id if len(rows) == PAGE_ROWS else receiver.missing.upto
            self._send(connection, receiver.page(rows, upto))
            self._catch_up(node, connection, receiver)

    def _give_one(self, connection: Connection, delivery: Delivery[Said]) -> None:
        receiver = connection.receiver
        if receiver is None:
            self._send(connection, [delivery])
        elif (sent := receiver.live(delivery)) is not None:
            self._send(connection, [sent])
        elif receiver.missing is None and not receiver.is_like_others:
            self._around.verdict.met["hidden by a floor"] += 1
        if receiver is not None and receiver.is_like_others:
            connection.receiver = None

    def _send(self, connection: Connection, deliveries: list[Delivery[Said]]) -> None:
        for delivery in deliveries:
            connection.client.send(connection, delivery.item, delivery.position)
