"""Time limits of tests with random input, and the seed of that input."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.postgresql import Server, server
from tests.store.rig import Base, PostgresBase

# Without bytecode each process compiles its modules: a daemon starts in 0.4 s of CPU instead of 0.2, with 2 MiB more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The time of one example depends on the machine more than on the code: a slow example is no failure.
settings.register_profile("chatd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("chatd")

HYPOTHESIS_TIMEOUT_S = 300  # for all examples of a test


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chatd", "length and seeds of chatd's tests")
    group.addoption("--seed", type=int, default=None, help="of all random input; a failed test prints its own")
    group.addoption("--kill-rounds", type=int, default=4, help="how often the daemon is killed with SIGKILL")
    group.addoption("--hook-rounds", type=int, default=3, help="of a daemon that is killed while its receiver fails")
    group.addoption("--move-rows", type=int, default=5_000, help="messages that move to another database")
    group.addoption("--fuzz-seconds", type=float, default=15.0, help="of the state machine against the whole server")
    group.addoption("--decoder-seconds", type=float, default=1.0, help="of random input to each decoder")
    group.addoption("--soak-seconds", type=float, default=12.0, help="of the soak")
    group.addoption("--storm-seconds", type=float, default=6.0, help="of 100 messages a second into an open thread")
    group.addoption("--outage-seconds", type=float, default=3.0, help="without Redis, of several nodes")
    group.addoption("--outages-deliver", choices=("at_once", "stored"), default="stored", help="of several nodes")
    group.addoption("--boot-systemd", nargs="?", const="all", choices=("all", "core"), help="tests that boot a systemd")
    group.addoption("--every-client", action="store_true", help="clients that make interop installs, too")
    group.addoption("--artillery", action="store_true", help="the load tool that make artillery installs")
    group.addoption("--whole-release", action="store_true", help="every artefact of a release, on every Python")
    group.addoption("--hostile-seconds", type=float, default=12.0, help="of the hostile afternoon")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A Hypothesis test that exceeds its time limit ends the whole run, with its stack.

    Hypothesis would take the exception of the timeout for a counterexample, and shrink it for hours.
    """
    if config.getoption("timeout") == 0:
        return
    for item in items:
        if isinstance(item, pytest.Function) and getattr(item.obj, "is_hypothesis_test", False):
            item.add_marker(pytest.mark.timeout(HYPOTHESIS_TIMEOUT_S, method="thread"))


def number_of(request: pytest.FixtureRequest, option: str) -> float:
    """The value of an option that is a number."""
    return float(request.config.getoption(option))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A seed for `random.Random`, shown when the test fails: repeat the test with `--seed`."""
    given = request.config.getoption("--seed")
    chosen = random.SystemRandom().randrange(2**32) if given is None else int(given)
    print(f"--seed {chosen}")
    return chosen


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One server for the whole run; tests that stop it or change its settings start their own."""
    with server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    """An empty database of each kind. Tests with this fixture hold for both."""
    if request.param == "sqlite":
        return tmp_path / "chatd.db"
    return PostgresBase(request.getfixturevalue("postgresql"))
