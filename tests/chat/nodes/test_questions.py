from __future__ import annotations

import asyncio

import pytest

from chatd.base.errors import RefusedError
from chatd.chat.nodes import questions
from chatd.chat.nodes.questions import MAX_ASKED, MAX_ROWS, Answer, Found, Question, Questions, Row

SHORT_S = 0.05
FRAME_BYTES = 100


class Bus:
    """Delivers every frame to all nodes but its origin, in order. `lose` are the numbers of frames to lose."""

    def __init__(self, *numbers: int, timeout_s: float = 5.0) -> None:
        self.nodes = {number: Questions(number, self._cast, timeout_s) for number in numbers}
        self.said: list[Question | Answer] = []
        self.lose: list[int] = []  # numbers of parts

    def _cast(self, frame: Question | Answer) -> None:
        self.said.append(frame)
        asyncio.get_running_loop().call_soon(self._bring, frame)

    def _bring(self, frame: Question | Answer) -> None:
        if isinstance(frame, Answer) and frame.part in self.lose:
            return
        for number, node in self.nodes.items():
            if number != frame.origin:
                node.hear(frame, FRAME_BYTES)


def people(*users: str) -> list[Row]:
    return [{"user": user} for user in users]


async def test_every_node_that_is_asked_answers() -> None:
    """N-21"""
    bus = Bus(1, 2, 3)
    bus.nodes[2].answers = {"who": lambda _: people("ana", "eva")}
    bus.nodes[3].answers = {"who": lambda _: []}
    assert await bus.nodes[1].ask({2, 3}, "who") == Found({2: people("ana", "eva"), 3: []}, [])
    assert await bus.nodes[1].ask(set(), "who") == Found({}, [])
    assert bus.nodes[1].unanswered == 0


async def test_a_node_that_does_not_answer_or_does_not_know_the_question_is_named() -> None:
    """N-21"""
    bus = Bus(1, 2, 3, timeout_s=SHORT_S)
    bus.nodes[3].answers = {"who": lambda _: people("ana")}
    assert await bus.nodes[1].ask({2, 3, 4}, "who") == Found({3: people("ana")}, [2, 4])
    assert bus.nodes[1].unanswered == 2


async def test_a_long_answer_comes_in_parts() -> None:
    """N-21"""
    bus = Bus(1, 2)
    many = people(*(str(number) for number in range(2 * MAX_ROWS + 1)))
    bus.nodes[2].answers = {"who": lambda _: many}
    assert await bus.nodes[1].ask({2}, "who") == Found({2: many}, [])
    parts = [frame for frame in bus.said if isinstance(frame, Answer)]
    assert [(part.part, len(part.rows), part.is_last) for part in parts] == [
        *((0, MAX_ROWS, False), (1, MAX_ROWS, False), (2, 1, True))
    ]


async def test_an_answer_with_a_lost_part_is_incomplete() -> None:
    """N-21: the received parts are shown, and the node is named."""
    bus = Bus(1, 2, timeout_s=1.0)
    bus.nodes[2].answers = {"who": lambda _: people(*map(str, range(3 * MAX_ROWS)))}
    bus.lose = [1]
    found = await bus.nodes[1].ask({2}, "who")
    assert (len(found.rows[2]), found.unanswered) == (MAX_ROWS, [2])


async def test_an_answer_to_a_previous_process_is_ignored() -> None:
    """N-21"""
    bus = Bus(1, 2, timeout_s=SHORT_S)
    asking = asyncio.create_task(bus.nodes[1].ask({2}, "kick", "ana"))
    await asyncio.sleep(0)
    [question] = bus.said
    assert isinstance(question, Question)
    for to, number in ((1, question.number + 1), (3, question.number)):
        bus.nodes[1].hear(Answer(2, to, number, 0, True, people("ana")), FRAME_BYTES)
    assert await asking == Found({}, [2])
    bus.nodes[1].hear(Answer(2, 1, question.number, 0, True, people("ana")), FRAME_BYTES)  # after the timeout


async def test_concurrent_questions_are_limited() -> None:
    """N-21"""
    bus = Bus(1, 2, timeout_s=SHORT_S)
    asking = [asyncio.create_task(bus.nodes[1].ask({2}, "who")) for _ in range(MAX_ASKED)]
    await asyncio.sleep(0)
    with pytest.raises(RefusedError, match="try again"):
        await bus.nodes[1].ask({2}, "who")
    assert await asyncio.gather(*asking) == [Found({}, [2])] * MAX_ASKED
    assert await bus.nodes[1].ask({2}, "who") == Found({}, [2])


async def test_the_bytes_of_answers_are_bounded_and_the_node_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """N-41: for all questions together, until each has ended."""
    monkeypatch.setattr(questions, "MAX_ANSWER_BYTES", 4 * FRAME_BYTES)
    bus = Bus(1, 2, 3, timeout_s=1.0)
    bus.nodes[2].answers = {"who": lambda _: people(*map(str, range(4 * MAX_ROWS)))}
    bus.nodes[3].answers = {"who": lambda _: people(*map(str, range(5 * MAX_ROWS)))}
    for _ in range(2):
        found = await bus.nodes[1].ask({2}, "who")
        assert (len(found.rows[2]), found.unanswered) == (4 * MAX_ROWS, [])
    assert bus.nodes[1].excess == 0
    found = await bus.nodes[1].ask({3}, "who")
    assert (len(found.rows[3]), found.unanswered, bus.nodes[1].excess) == (4 * MAX_ROWS, [3], 1)
    both = await asyncio.gather(*(bus.nodes[1].ask({2}, "who") for _ in range(2)))
    assert sum(len(each.rows[2]) for each in both) == 4 * MAX_ROWS
    assert [2] in [each.unanswered for each in both]
