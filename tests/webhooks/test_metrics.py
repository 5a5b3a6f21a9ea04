"""Metrics of webhooks, webhooks/metrics.py."""

from __future__ import annotations

import math
from pathlib import Path

from tests.ops.operator import operated
from tests.webhooks.receiver import receiving, write_config


async def test_metrics_have_delivery_outcomes_and_the_lag_of_a_hook(tmp_path: Path) -> None:
    """W-04, W-08"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        async with operated(tmp_path / "c.db", "--config", str(config)) as operator:
            ana, eva = await operator.chatd.enter("ana"), await operator.chatd.enter("eva")
            await ana.write("root", "taken")
            await receiver.until(lambda: len(receiver.taken) == 1)
            receiver.answer = lambda _: 503
            for n in range(3):
                await ana.write("root", f"waits {n}")
            await receiver.until(lambda: len(receiver.tried) >= 3)  # it was retried, so its failure has been counted
            behind = await operator.metrics()
            receiver.answer = lambda _: 410
            await eva.write("root", "the last")
            await operator.chatd.logged("webhook switched off: its receiver has answered 410")
            off = await operator.metrics()
    assert behind("chatd_webhook_events_total", hook="crm", outcome="delivered") == 1
    assert behind("chatd_webhook_events_total", hook="crm", outcome="failed") >= 1
    assert behind("chatd_webhook_events_total", hook="crm", outcome="set_aside") == 0
    assert behind("chatd_webhook_unfinished", hook="crm") == 3
    assert 0 < behind("chatd_webhook_behind_seconds", hook="crm") < 60
    assert behind("chatd_webhook_off", hook="crm") == 0
    assert (off("chatd_webhook_off", hook="crm"), off("chatd_webhook_unfinished", hook="crm")) == (1, 0)


async def test_without_a_webhook_there_are_no_metrics_of_webhooks(tmp_path: Path) -> None:
    """W-01"""
    async with operated(tmp_path / "c.db") as operator:
        seen = await operator.metrics()
    assert math.isnan(seen("chatd_webhook_off", hook=""))
