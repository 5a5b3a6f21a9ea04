"""The payer that is charged for the work of a client."""

from __future__ import annotations

import asyncio

from chatd.engineio.turns import BUDGET, Payer, Price
from tests.chat.people import Chat, connect, cookie, token
from tests.conformance.wire import TIMEOUT_S, text_frame

ROUNDS = 500


def payers(chat: Chat) -> set[Payer]:
    return {session.transport.payer for session in chat.engine.sessions.values()}


async def test_a_client_is_charged_by_address_and_after_the_join_by_user(chat: Chat) -> None:
    """L-16"""
    stranger = await chat.client.websocket()
    assert payers(chat) == {"127.0.0.1"}
    stranger.abort()
    await chat.client.settled()
    for _ in range(2):
        await chat.enter("ana")
    assert payers(chat) == {"user:ana"}


async def test_a_user_is_still_charged_after_leaving_the_namespace(chat: Chat) -> None:
    """L-16"""
    ana = await chat.enter("ana")
    await ana.websocket.send("41")
    await ana.websocket.send("40/nowhere,")
    assert str(await ana.websocket.receive()).startswith("44/nowhere,")
    assert payers(chat) == {"user:ana"}


async def test_a_user_on_polling_is_charged_by_user_also_after_an_upgrade(chat: Chat) -> None:
    """L-16"""
    polling = await chat.client.polling(headers=cookie(token("ana")))
    await polling.post("40")
    assert (await polling.poll())[0].startswith("40{")
    assert payers(chat) == {"user:ana"}
    websocket = await polling.upgrade()
    await websocket.send("2probe")
    assert await websocket.receive() == "3probe"
    await websocket.send("5")
    await websocket.send("41")
    await chat.client.settled()
    assert payers(chat) == {"user:ana"}


async def test_joins_and_leaves_are_charged(chat: Chat) -> None:
    """L-16: the packets of one read take many turns of the loop"""
    answer, websocket = await connect(chat.client, cookie(token("ana")))
    assert answer.startswith("40{")
    joins = Joins(chat)
    await websocket.send_raw((text_frame("41") + text_frame("40")) * ROUNDS)
    async with asyncio.timeout(TIMEOUT_S):
        while joins.seen < ROUNDS:
            answer = str(await websocket.receive())
            assert answer.startswith("40{")
            joins.seen += 1
    assert joins.most_in_two_turns <= 2 * (BUDGET // Price.JOIN + 1)


class Joins:
    """The maximum of joins in two turns of the loop: the end of a join may run in the next turn."""

    def __init__(self, chat: Chat) -> None:
        self.seen = self.most_in_two_turns = self._entered = 0
        namespace = chat.namespace
        accept = namespace.accept

        def counted(*args: object) -> object:
            if not self._entered:
                asyncio.get_running_loop().call_soon(self._end)
            self._entered += 1
            return accept(*args)  # type: ignore[arg-type]

        namespace.accept = counted  # type: ignore[assignment]

    def _end(self) -> None:
        self.most_in_two_turns = max(self.most_in_two_turns, self._entered)
        self._entered = 0


async def test_queries_of_the_history_are_charged(chat: Chat) -> None:
    """L-16"""
    ana = await chat.enter("ana")
    [session] = chat.engine.sessions.values()
    turns = session._owner.turns
    for event, price in (("historial", Price.QUESTION), ("no_leidos", Price.QUESTION), ("conversacion", Price.LOOKUP)):
        before = turns._charged
        await ana.ask(event, {"con": "root"} if event == "conversacion" else {})
        assert turns._charged - before == price, event
