"""The post detects every mistake of a server."""

from __future__ import annotations

from bench.fairness.post import Letter, Post

OK = '{"ok":true,"id":"1"}'


def _sent(*numbers: int) -> Post:
    post = Post()
    for number in numbers:
        post.send(number, Letter("root", due=1.0, sent=1.0))
    return post


def test_received_and_acknowledged_messages_are_complete() -> None:
    post = _sent(1, 2)
    for number in (1, 2):
        assert not post.complete.is_set()
        post.hear("root", "ana", number, 2.0)
        post.acknowledge(number, OK, 3.0)
    assert post.complete.is_set()
    assert post.lost() == []
    assert (post.letters[1].heard, post.letters[1].acknowledged) == (2.0, 3.0)


def test_a_message_that_never_arrives_is_lost() -> None:
    post = _sent(1, 2)
    post.hear("root", "ana", 1, 2.0)
    post.acknowledge(2, OK, 2.0)
    assert not post.complete.is_set()
    assert post.lost() == ["message 2 never came", "message 1 was never acknowledged"]


def test_a_duplicate_or_a_wrong_order_is_a_fault() -> None:
    post = _sent(1, 2)
    for number in (2, 1, 1):
        post.hear("root", "ana", number, 2.0)
    for number in (1, 2, 2):
        post.acknowledge(number, OK, 2.0)
    assert post.lost() == [
        "message 1 came behind a later one",
        "message 1 came twice",
        "message 2 was acknowledged twice",
    ]


def test_a_refusal_is_a_fault() -> None:
    post = _sent(1)
    post.acknowledge(1, '{"ok":false,"error":{"code":"store_busy"}}', 2.0)
    assert post.faults == ['message 1 was refused: {"ok":false,"error":{"code":"store_busy"}}']


def test_messages_of_other_clients_and_phases_are_ignored() -> None:
    post = _sent(1)
    post.hear("boss", "ana", 1, 2.0)
    post.hear("root", "ana", 99, 2.0)
    post.acknowledge(99, OK, 2.0)
    assert post.letters[1].heard == 0
    assert post.faults == []
