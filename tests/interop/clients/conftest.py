"""Collects the results of the client tests for the table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.clients import results
from tests.interop.clients.results import Result
from tests.interop.clients.rows import NAMES


@pytest.fixture(scope="session")
def passed(request: pytest.FixtureRequest) -> Iterator[dict[str, Result]]:
    """Results of the clients that passed, by name. A run with every client rewrites the file."""
    found: dict[str, Result] = {}
    yield found
    if request.config.getoption("every_client"):
        results.write(found[name] for name in NAMES if name in found)
