"""The order in which parts of a daemon start and close."""

from __future__ import annotations

import pytest

from chatd.base.errors import ConfigError
from chatd.base.part import Live, Part
from chatd.daemon.config import Config
from chatd.daemon.parts import Parts
from chatd.settings.reload import Apply, Outcome, Reload


class Recorded:
    """Parts that write down what happens to them."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.parts = Parts(Reload(Config))

    def add(self, name: str, start_error: Exception | None = None, close_error: Exception | None = None) -> None:
        async def start() -> None:
            self.calls.append(f"start {name}")
            if start_error is not None:
                raise start_error

        async def close() -> None:
            self.calls.append(f"close {name}")
            if close_error is not None:
                raise close_error

        def stopping() -> None:
            self.calls.append(f"stopping {name}")

        self.parts.add(Part(start=start, stopping=stopping, close=close))


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


async def test_parts_start_in_order_and_close_in_reverse(recorded: Recorded) -> None:
    for name in ("store", "chat", "api"):
        recorded.add(name)
    await recorded.parts.start()
    recorded.parts.stopping()
    await recorded.parts.close()
    assert recorded.calls == [
        *("start store", "start chat", "start api"),
        *("stopping store", "stopping chat", "stopping api"),
        *("close api", "close chat", "close store"),
    ]


async def test_all_parts_close_when_one_cannot_start(recorded: Recorded) -> None:
    recorded.add("store")
    recorded.add("search", start_error=ConfigError("search: no"))
    recorded.add("api")
    with pytest.raises(ConfigError, match="search: no"):
        await recorded.parts.start()
    await recorded.parts.close()
    assert recorded.calls == ["start store", "start search", "close api", "close search", "close store"]


async def test_the_store_closes_when_another_part_fails_to(recorded: Recorded) -> None:
    recorded.add("store")
    recorded.add("api", close_error=OSError("no"))
    with pytest.raises(OSError, match="no"):
        await recorded.parts.close()
    assert recorded.calls == ["close api", "close store"]


async def test_what_a_part_brings_is_registered_when_it_is_added() -> None:
    reload: Reload[Config] = Reload(Config)
    parts = Parts(reload)
    applied: list[float] = []

    def prepare(read: Config) -> Apply:
        return lambda: applied.append(read.store.retention_days)

    parts.add(Part(live=[Live("retention", prepare, lambda _: True)], refusals={"api": {"busy": 2}.items}))
    parts.add(Part(shown={"team": lambda: "waits", "hooks": lambda: None}, fault=lambda: None, worry=lambda: "slow"))
    assert reload.run() == Outcome(kept=("retention",))
    assert applied == [Config().store.retention_days]
    assert dict(parts.refusals["api"]()) == {"busy": 2}
    assert [parts.shown(name) for name in ("team", "hooks", "nodes")] == ["waits", None, None]
    assert (parts.fault(), parts.worry()) == (None, "slow")
    parts.add(Part(fault=lambda: "no keys"))
    assert parts.fault() == "no keys"
