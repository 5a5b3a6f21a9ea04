"""Admission control, on a manual clock; over real sockets it is tested in tests/chat/test_crowding.py."""

from __future__ import annotations

import logging

import pytest

from chatd.base.refusals import Refusals
from chatd.engineio.admission import FULL_RETRY_S, STOPPING_RETRY_S, Admission, AdmissionRefusal
from chatd.engineio.config import EngineConfig
from chatd.engineio.limits import Limit
from chatd.engineio.request import Refusal
from tests.clock import Clock


class Door:
    """An Admission and its dependencies."""

    def __init__(self, config: EngineConfig) -> None:
        self.clock = Clock()
        self.refusals = Refusals(Limit, self.clock.time, logging.getLogger("chatd.test"))
        self.admission = Admission(config, self.refusals, self.clock.time)

    def refused(self, address: str = "192.0.2.1", sessions: int = 0) -> AdmissionRefusal:
        why = self.admission.fault(address, sessions)
        assert why is not None
        return why

    def enter(self, address: str = "192.0.2.1", sessions: int = 0) -> None:
        assert self.admission.fault(address, sessions) is None
        self.admission.entered(address)


def test_a_full_server_refuses_with_max_connections() -> None:
    """L-01"""
    door = Door(EngineConfig(max_connections=3))
    door.enter(sessions=2)
    why = door.refused(sessions=3)
    assert (why.refusal, why.retry_after_s) == (Refusal.BUSY, FULL_RETRY_S)
    assert why.detail == "max_connections: 3 clients are connected, and max_connections is 3"


def test_the_refusal_of_an_address_names_trusted_proxy() -> None:
    """L-02: the first limit that an operator behind a proxy reaches."""
    door = Door(EngineConfig(max_connections_per_address=1))
    door.enter("192.0.2.1")
    door.enter("192.0.2.2")
    why = door.refused("192.0.2.1")
    assert (why.refusal, why.retry_after_s) == (Refusal.TOO_MANY, FULL_RETRY_S)
    assert why.detail.endswith("if that is a reverse proxy, list it as trusted_proxy")
    door.admission.left("192.0.2.1")
    door.enter("192.0.2.1")
    assert door.refusals.counts[Limit.MAX_CONNECTIONS_PER_ADDRESS] == 1


def test_a_64_network_of_ipv6_counts_as_one_address() -> None:
    """L-02"""
    door = Door(EngineConfig(max_connections_per_address=1))
    door.enter("2001:db8:1:2::1")
    door.refused("2001:db8:1:2:ffff::1")
    door.enter("2001:db8:1:3::1")


def test_clients_without_an_address_are_not_counted_together() -> None:
    """L-02: the unix socket, where clients have no address in common"""
    door = Door(EngineConfig(max_connections_per_address=1))
    for _ in range(10):
        door.enter("")


def test_the_accept_rate_limits_new_sessions_per_second() -> None:
    """L-03"""
    door = Door(EngineConfig(accept_rate=2))
    door.enter()
    door.enter()
    why = door.refused()
    assert (why.refusal, why.retry_after_s, why.detail) == (
        Refusal.BUSY,
        1,
        "accept_rate: more clients arrive than accept_rate lets in",
    )
    door.clock.pass_seconds(0.5 + 1e-9)
    door.enter()
    door.refused()


def test_one_address_cannot_use_up_the_accept_rate() -> None:
    """L-10: nor can the other addresses of its /64"""
    door = Door(EngineConfig(accept_rate=10, accept_rate_per_address=2))
    door.enter("2001:db8:1:2::1")
    door.enter("2001:db8:1:2::2")
    refusals = [door.refused(f"2001:db8:1:2::{number:x}") for number in range(100)]
    assert {(why.refusal, why.retry_after_s) for why in refusals} == {(Refusal.TOO_MANY, 1)}
    assert refusals[0].detail == (
        "accept_rate_per_address: more clients arrive from 2001:db8:1:2::/64 than accept_rate_per_address lets in"
    )
    assert door.refusals.counts[Limit.ACCEPT_RATE_PER_ADDRESS] == 100
    for number in range(8):
        door.enter(f"192.0.2.{number}")
    assert door.refused("192.0.2.9").refusal is Refusal.BUSY
    door.clock.pass_seconds(0.5 + 1e-9)
    door.enter("2001:db8:1:2::1")


def test_clients_without_an_address_have_no_rate_per_address() -> None:
    """L-10"""
    door = Door(EngineConfig(accept_rate_per_address=1))
    for _ in range(10):
        door.enter("")


def test_a_session_refused_for_another_reason_is_not_charged_to_the_rate() -> None:
    """L-03"""
    door = Door(EngineConfig(accept_rate=1, max_connections=5))
    for _ in range(10):
        door.refused(sessions=5)
    door.enter()


def test_new_sessions_are_refused_during_a_stop() -> None:
    """L-08"""
    door = Door(EngineConfig(max_connections=0, max_connections_per_address=0, accept_rate=0))
    door.enter()
    door.admission.stop()
    why = door.refused()
    assert (why.refusal, why.retry_after_s) == (Refusal.BUSY, STOPPING_RETRY_S)
    assert door.refusals.counts[Limit.STOPPING] == 1


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", ""])
def test_closed_sessions_are_not_counted(address: str) -> None:
    """L-02"""
    door = Door(EngineConfig())
    for _ in range(3):
        door.enter(address)
    for _ in range(3):
        door.admission.left(address)
    assert door.admission._by_address == {}


def test_changed_limits_count_sessions_that_are_already_open() -> None:
    """L-01, L-02, L-03, C-27: also for limits that were off before."""
    door = Door(EngineConfig(max_connections_per_address=0, accept_rate=0))
    door.enter("192.0.2.1")
    door.enter("192.0.2.1")
    door.enter("192.0.2.2")
    present = ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
    door.admission.use(EngineConfig(max_connections=9, max_connections_per_address=2, accept_rate=1), present)
    door.enter("192.0.2.2")
    assert door.refused("192.0.2.1").refusal is Refusal.TOO_MANY
    assert door.refused("192.0.2.3").retry_after_s == 1
    assert door.refused("192.0.2.3", sessions=9).retry_after_s == FULL_RETRY_S
    for address in ("192.0.2.2", *present):
        door.admission.left(address)
    assert door.admission._by_address == {}
