"""No test of this floor may leave an error in the log by accident."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def nothing_is_logged(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The floor logs what it did not expect, and goes on; a test that expects that takes `caplog` and looks."""
    yield
    if "caplog" not in inspect.signature(request.function).parameters:
        assert not [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
