"""The main namespace, and a client that has joined it; no test may leave an error in the log by accident."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator

import pytest

from tests.socketio.rig import App, Peer, Rig, joined


@pytest.fixture(autouse=True)
def nothing_is_logged(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The floor logs what it did not expect, and goes on; a test that expects that takes `caplog` and looks."""
    yield
    if "caplog" not in inspect.signature(request.function).parameters:
        assert not [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def app(rig: Rig) -> App:
    return rig.namespace("/")


@pytest.fixture
def peer(rig: Rig, app: App) -> Peer:
    """It has read its answer. `app` comes first: without a namespace there is none to join."""
    assert app.namespace is not None
    return joined(rig)
