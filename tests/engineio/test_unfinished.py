"""The budgets for unfinished input."""

from __future__ import annotations

import logging

from chatd.base.refusals import Refusals
from chatd.engineio.config import EngineConfig
from chatd.engineio.limits import Limit
from chatd.engineio.unfinished import Hold, Unfinished


def budgets(*, total: int = 0, each: int = 0) -> tuple[Unfinished, dict[Limit, int]]:
    refusals = Refusals(Limit, lambda: 0.0, logging.getLogger("tests"))
    config = EngineConfig(max_unfinished_bytes=total, max_unfinished_per_client_bytes=each)
    return Unfinished(config, refusals), refusals.counts


def test_one_client_has_a_budget_over_all_its_connections() -> None:
    """L-12"""
    unfinished, counts = budgets(each=100)
    first, second, other = Hold(unfinished, "ana"), Hold(unfinished, "ana"), Hold(unfinished, "eva")
    assert first.resize(60)
    assert not second.resize(60)
    assert other.resize(60)
    assert counts[Limit.MAX_UNFINISHED_PER_CLIENT] == 1
    second.release()
    assert second.resize(40)


def test_all_clients_have_a_budget_together() -> None:
    """L-12"""
    unfinished, counts = budgets(total=100)
    holds = [Hold(unfinished, name) for name in "abc"]
    assert [hold.resize(50) for hold in holds] == [True, True, False]
    assert counts[Limit.MAX_UNFINISHED] == 1


def test_a_decrease_is_never_refused() -> None:
    unfinished, _ = budgets(each=100)
    hold = Hold(unfinished, "ana")
    assert not hold.resize(200)
    assert hold.resize(150)
    assert hold.resize(150)


def test_released_bytes_are_forgotten() -> None:
    unfinished, _ = budgets(total=100, each=100)
    for name in ("ana", object()):
        hold = Hold(unfinished, name)
        hold.resize(60)
        hold.release()
        hold.release()
    assert (unfinished.total_bytes, unfinished._by_payer) == (0, {})


def test_a_budget_of_0_is_no_limit() -> None:
    """L-12"""
    unfinished, _ = budgets()
    assert Hold(unfinished, "ana").resize(1_000_000_000)
