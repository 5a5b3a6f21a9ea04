"""What the tests of the clients have found, for the table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.clients import results
from tests.interop.clients.results import Result
from tests.interop.clients.rows import NAMES


@pytest.fixture(scope="session")
def passed(request: pytest.FixtureRequest) -> Iterator[dict[str, Result]]:
    """The clients that have passed, by name. A run of all of them makes the file anew."""
    found: dict[str, Result] = {}
    yield found
    if request.config.getoption("every_client"):
        results.write(found[name] for name in NAMES if name in found)
