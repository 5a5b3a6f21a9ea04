"""Acknowledgements of events from the server. Rules S-20 to S-22."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Callable

import pytest

from chatd.socketio.acks import AckTimeoutError, SocketGoneError
from tests.socketio.rig import App, Handler, Peer, Rig


class Asked:
    """A namespace with clients that have joined it."""

    def __init__(self, clients: int = 1) -> None:
        self.rig = Rig()
        self.app: App = self.rig.namespace("/")
        self.peers = [self.rig.peer() for _ in range(clients)]
        for peer in self.peers:
            peer.says("0")
            peer.heard()

    @property
    def peer(self) -> Peer:
        return self.peers[0]

    @property
    def handler(self) -> Handler:
        return self.app.handlers[0]

    def ask(self, *args: object, client: int = 0) -> asyncio.Future[list[object]]:
        return self.app.handlers[client].socket.emit_with_ack("q", *args, timeout_s=5.0)


async def test_the_future_holds_what_the_client_answered() -> None:
    """S-20"""
    asked = Asked()
    future = asked.ask(1)
    assert asked.peer.heard() == ['20["q",1]']
    assert not future.done()
    asked.peer.says('30["yes",{"a":null}]')
    assert await future == ["yes", {"a": None}]


async def test_an_answer_may_be_empty_or_binary() -> None:
    """S-20"""
    asked = Asked()
    first, second = asked.ask(), asked.ask(b"x")
    assert asked.peer.heard() == ['20["q"]', '51-1["q",{"_placeholder":true,"num":0}]', b"x"]
    asked.peer.says('61-1[{"_placeholder":true,"num":0}]', b"y", "30[]")
    assert await first == []
    assert await second == [b"y"]


async def test_the_sockets_of_a_namespace_share_one_counter() -> None:
    """S-20"""
    asked = Asked(clients=2)
    futures = [asked.ask(client=0), asked.ask(client=1), asked.ask(client=0)]
    assert [peer.heard() for peer in asked.peers] == [['20["q"]', '22["q"]'], ['21["q"]']]
    for client, ack_id in ((0, 2), (1, 1), (0, 0)):
        asked.peers[client].says(f"3{ack_id}[{ack_id}]")
    assert [await future for future in futures] == [[0], [1], [2]]


async def test_the_first_answer_wins() -> None:
    """S-21"""
    asked = Asked()
    future = asked.ask()
    asked.peer.says('30["first"]', '30["second"]')
    assert await future == ["first"]
    asked.peer.says('30["third"]')
    assert asked.peer.closed is None


@pytest.mark.parametrize("answer", ["37[1]", "31[1]", "3[1]", "30", "3999999999999999[1]", "3[]"])
async def test_an_ack_with_an_unknown_id_is_ignored(answer: str) -> None:
    """S-21"""
    asked = Asked()
    future = asked.ask()
    asked.peer.says(answer)
    assert not future.done()
    assert asked.peer.closed is None
    asked.peer.says("30[]")
    assert await future == []


async def test_an_ack_before_any_event_is_ignored() -> None:
    """S-21"""
    asked = Asked()
    asked.peer.says("30[1]")
    assert asked.peer.closed is None


async def test_a_client_cannot_acknowledge_for_another() -> None:
    """S-21"""
    asked = Asked(clients=2)
    future = asked.ask(client=0)
    asked.ask(client=1)
    asked.peers[1].says('30["forged"]')
    assert not future.done()
    asked.peers[0].says('30["true"]')
    assert await future == ["true"]


async def test_a_missing_ack_times_out() -> None:
    """S-22"""
    asked = Asked()
    future = asked.ask()
    asked.rig.pass_seconds(4.9)
    assert not future.done()
    asked.rig.pass_seconds(0.2)
    with pytest.raises(AckTimeoutError):
        await future
    asked.peer.says('30["too late"]')
    assert asked.peer.closed is None
    with pytest.raises(AckTimeoutError):
        future.result()


async def test_an_ack_cancels_the_timeout() -> None:
    """S-22"""
    asked = Asked()
    before = asked.rig.timers.armed()
    future = asked.ask()
    assert asked.rig.timers.armed() == before + 1
    asked.peer.says("30[]")
    assert asked.rig.timers.armed() == before
    asked.rig.pass_seconds(10.0)
    assert await future == []


LOSSES: list[Callable[[Asked], object]] = [
    lambda asked: asked.peer.cuts(),
    lambda asked: asked.peer.says("1"),
    lambda asked: asked.peer.says("garbage"),
    lambda asked: asked.handler.socket.disconnect(),
    lambda asked: asked.handler.socket.disconnect_session(),
]


@pytest.mark.parametrize("lose", LOSSES)
async def test_a_disconnect_fails_pending_acks(lose: Callable[[Asked], object]) -> None:
    """S-22: before `on_disconnect` is called"""
    asked = Asked()
    futures = [asked.ask(), asked.ask()]
    told: list[bool] = []
    asked.app.on["disconnect"] = lambda _: told.extend(future.done() for future in futures)
    lose(asked)
    assert told == [True, True]
    for future in futures:
        with pytest.raises(SocketGoneError):
            await future
    asked.rig.pass_seconds(10.0)


async def test_asking_a_disconnected_socket_fails_at_once() -> None:
    """S-22"""
    asked = Asked()
    asked.peer.cuts()
    with pytest.raises(SocketGoneError):
        await asked.ask()
    assert asked.rig.timers.armed() == 0
    assert asked.peer.heard() == []


async def test_an_ack_of_an_earlier_socket_of_the_session_is_ignored() -> None:
    """S-21: the client left the namespace and joined it again"""
    asked = Asked()
    old = asked.ask()
    asked.handler.socket.disconnect()
    asked.peer.says("0")
    new = asked.ask(client=1)
    asked.peer.says('30["old"]')
    assert not new.done()
    asked.peer.says('31["new"]')
    assert await new == ["new"]
    with pytest.raises(SocketGoneError):
        await old


async def test_the_future_may_be_cancelled() -> None:
    asked = Asked()
    future = asked.ask()
    future.cancel()
    asked.peer.says("30[1]")
    asked.rig.pass_seconds(10.0)
    assert future.cancelled()
    assert asked.peer.closed is None


async def test_many_acks_leave_no_state() -> None:
    asked = Asked()
    before = asked.rig.timers.armed()
    futures = [asked.ask(number) for number in range(100)]
    for question in asked.peer.heard():
        ack_id, _, number = str(question)[1:].partition('["q",')
        asked.peer.says(f"3{ack_id}[{number}")
    assert [await future for future in futures] == [[number] for number in range(100)]
    assert asked.rig.timers.armed() == before
    await asyncio.sleep(0)  # callbacks of futures run in the next turn
    references = [weakref.ref(future) for future in futures]
    del futures
    gc.collect()
    assert [reference() for reference in references] == [None] * 100


async def test_an_event_that_cannot_be_encoded_raises() -> None:
    asked = Asked()
    before = asked.rig.timers.armed()
    with pytest.raises(ValueError, match="is no JSON"):
        asked.ask(float("nan"))
    assert asked.rig.timers.armed() == before
    assert asked.peer.heard() == []
    asked.ask()
    assert json.loads(str(asked.peer.heard()[0])[2:]) == ["q"]
