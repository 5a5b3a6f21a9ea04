from __future__ import annotations

from chatd.cluster.core.held import MAX_HELD_BYTES, MAX_HELD_FRAMES, Held
from tests.cluster.core.said import Said, news


def test_held_frames_are_returned_in_the_order_of_arrival() -> None:
    held: Held[Said] = Held()
    held.add(news(3, 4), 10)
    held.add(news(4, 5), 10)
    assert held.first == news(3, 4)
    held.pop()
    assert held.first == news(4, 5)


def test_the_number_of_held_frames_is_bounded() -> None:
    held: Held[Said] = Held()
    for one in range(MAX_HELD_FRAMES + 2):
        held.add(news(one, one + 1), 1)
    assert held.refused == 2
    held.pop()
    held.add(news(1, 2), 1)
    assert held.refused == 2, "there is room again"


def test_the_bytes_of_held_frames_are_bounded() -> None:
    held: Held[Said] = Held()
    held.add(news(1, 2), MAX_HELD_BYTES)
    held.add(news(2, 3), 1)
    assert held.refused == 1
    held.clear()
    held.add(news(2, 3), 1)
    assert held.first == news(2, 3)
