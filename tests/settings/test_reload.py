from __future__ import annotations

import pytest

from chatd.base.errors import ConfigError
from chatd.settings.reload import Apply, Outcome, Reload


class Part:
    """Records its calls; `prepare` fails while it is broken."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name = name
        self.broken = False
        self._diary = diary

    def prepare(self, config: str) -> Apply:
        self._diary.append(f"prepare {self.name} of {config}")
        if self.broken:
            raise ConfigError(f"{self.name}: no such file")
        return lambda: self._diary.append(f"apply {self.name}")


def test_everything_is_prepared_before_anything_is_applied() -> None:
    """C-27"""
    diary: list[str] = []
    reload = Reload(lambda: "now")
    for name in ("keys", "certificate"):
        reload.add(name, Part(name, diary).prepare)
    assert reload.run().fault is None
    assert diary == ["prepare keys of now", "prepare certificate of now", "apply keys", "apply certificate"]


@pytest.mark.parametrize("broken", [0, 1])
def test_if_one_part_cannot_be_prepared_none_is_applied(broken: int, caplog: pytest.LogCaptureFixture) -> None:
    """C-27: the next reload is independent of it."""
    diary: list[str] = []
    parts = [Part("keys", diary), Part("certificate", diary)]
    reload = Reload(lambda: "now")
    for part in parts:
        reload.add(part.name, part.prepare)
    parts[broken].broken = True
    assert reload.run().fault
    assert [line for line in diary if line.startswith("apply")] == []
    [record] = caplog.records
    assert (record.levelname, record.getMessage()) == ("ERROR", "nothing was reloaded")
    assert record.__dict__["cause"] == f"{parts[broken].name}: no such file"
    parts[broken].broken = False
    assert reload.run().fault is None


def test_with_nothing_to_reload_nothing_happens() -> None:
    """C-27: SIGHUP may arrive before the daemon has read any file."""
    assert Reload(lambda: "now").run() == Outcome()


def test_a_configuration_that_cannot_be_read_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """C-27"""
    diary: list[str] = []

    def read() -> str:
        raise ConfigError("chatd.toml:3: there is no setting prot in [listen]")

    reload = Reload(read)
    reload.add("keys", Part("keys", diary).prepare)
    assert reload.run().fault
    assert diary == []
    [record] = caplog.records
    assert record.__dict__["part"] == "configuration"
    assert record.__dict__["cause"].startswith("chatd.toml:3: ")
