from __future__ import annotations

import enum
import logging

import pytest

from chatd.base.refusals import SILENCE_S, Refusals
from tests.clock import Clock


class Door(enum.StrEnum):
    FRONT = "front"
    BACK = "back"


def test_every_refusal_is_counted_and_few_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    refusals = Refusals(Door, clock.time, logging.getLogger("chatd.test"))
    assert refusals.counts == {"front": 0, "back": 0}
    for _ in range(1000):
        refusals.add(Door.FRONT, "the front door is shut", address="::1")
    refusals.add(Door.BACK, "so is the other")
    clock.pass_seconds(SILENCE_S)
    refusals.add(Door.FRONT, "the front door is shut", address="::2")
    assert refusals.counts == {"front": 1001, "back": 1}
    said = [(record.getMessage(), vars(record)["limit"], vars(record)["refused"]) for record in caplog.records]
    assert said == [
        ("the front door is shut", "front", 1),
        ("so is the other", "back", 1),
        ("the front door is shut", "front", 1001),
    ]
    assert [vars(record).get("address") for record in caplog.records] == ["::1", None, "::2"]
