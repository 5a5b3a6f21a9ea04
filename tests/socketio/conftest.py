"""Fixtures: the main namespace and a client that has joined it. A test fails if it leaves an unexpected log line."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator

import pytest

from tests.socketio.rig import App, Peer, Rig, joined


@pytest.fixture(autouse=True)
def nothing_is_logged(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The Socket.IO layer logs unexpected errors and goes on. A test that expects one uses `caplog` and checks it."""
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
    """A client that has joined and read the answer. Depends on `app`, which creates the namespace."""
    assert app.namespace is not None
    return joined(rig)
