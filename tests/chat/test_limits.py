"""Limits of one user, on a manual clock; over real sockets in test_crowding.py."""

from __future__ import annotations

import logging

import pytest

from chatd.base.rates import FIRST_SWEEP
from chatd.chat.config import ChatConfig
from chatd.chat.limits import PATIENCE_BURSTS, ChatLimit, ChatLimits, LimitCode, TooFastError
from chatd.socketio.namespace import ConnectRefusedError
from tests.clock import Clock


def refused(limits: ChatLimits, user: str = "ana") -> TooFastError:
    with pytest.raises(TooFastError) as caught:
        limits.check_pace(user)
    return caught.value


def test_a_refusal_has_the_time_at_which_the_next_message_is_accepted() -> None:
    """L-06"""
    clock = Clock()
    limits = ChatLimits(ChatConfig(message_rate=10, message_burst=3), clock.time)
    for _ in range(3):
        limits.check_pace("ana")
    error = refused(limits)
    assert (error.code, error.details) == ("rate_limited", {"retry_after_ms": 100})
    assert "100 ms" in error.message
    limits.check_pace("eva")
    clock.pass_seconds(0.1 + 1e-9)
    limits.check_pace("ana")
    refused(limits)
    assert limits.refusals.counts == {
        "message_rate": 2,
        "max_connections_per_user": 0,
        "typing_rate": 0,
        "max_chars_per_minute": 0,
    }


def test_a_user_with_occasional_refusals_is_not_disconnected() -> None:
    """L-06: an eager client gets about one refusal for each accepted message."""
    clock = Clock()
    limits = ChatLimits(ChatConfig(message_rate=10, message_burst=1), clock.time)
    for _ in range(10_000):
        limits.check_pace("ana")
        assert not refused(limits).persistent
        clock.pass_seconds(0.1 + 1e-9)


def test_a_user_with_continuous_refusals_is_disconnected() -> None:
    """L-06"""
    limits = ChatLimits(ChatConfig(message_rate=10, message_burst=3), Clock().time)
    for _ in range(3):
        limits.check_pace("ana")
    assert [refused(limits).persistent for _ in range(3 * PATIENCE_BURSTS)] == [False] * 3 * PATIENCE_BURSTS
    assert refused(limits).persistent
    limits.check_pace("eva")


def test_idle_users_are_deleted() -> None:
    """L-06"""
    clock = Clock()
    limits = ChatLimits(ChatConfig(message_rate=10, message_burst=3), clock.time)
    for number in range(20 * FIRST_SWEEP):
        limits.check_pace(f"user {number}")
        clock.pass_seconds(0.001)
    assert len(limits._messages) <= 2 * FIRST_SWEEP
    assert len(limits._warnings) == 0


def test_without_a_rate_no_message_is_counted() -> None:
    """L-06"""
    limits = ChatLimits(ChatConfig(message_rate=0), Clock().time)
    for _ in range(10_000):
        limits.check_pace("ana")
    assert len(limits._messages) == 0


def test_a_socket_over_the_limit_is_refused_with_a_code(caplog: pytest.LogCaptureFixture) -> None:
    """L-05: one log line for any number of attempts."""
    caplog.set_level(logging.WARNING, "chatd.chat")
    limits = ChatLimits(ChatConfig(max_connections_per_user=2), Clock().time)
    limits.check_sockets("eva", 1)
    for _ in range(5):
        with pytest.raises(ConnectRefusedError) as caught:
            limits.check_sockets("ana", 2)
        assert caught.value.data == {"code": LimitCode.TOO_MANY_CONNECTIONS}
    assert limits.refusals.counts["max_connections_per_user"] == 5  # type: ignore[index]  # a StrEnum is its value
    assert len(caplog.records) == 1
    ChatLimits(ChatConfig(max_connections_per_user=0), Clock().time).check_sockets("ana", 2)


def test_changed_limits_apply_to_the_next_message_and_socket() -> None:
    """L-05, L-06, C-27"""
    limits = ChatLimits(ChatConfig(message_rate=1, message_burst=1, max_connections_per_user=2), Clock().time)
    limits.check_pace("ana")
    with pytest.raises(TooFastError):
        limits.check_pace("ana")
    limits.use(ChatConfig(message_rate=0, max_connections_per_user=1))
    limits.check_pace("ana")
    with pytest.raises(ConnectRefusedError):
        limits.check_sockets("ana", 1)


def test_the_characters_of_a_user_per_minute_are_limited() -> None:
    """L-13: in long or in short messages; other users are not affected."""
    clock = Clock()
    limits = ChatLimits(ChatConfig(message_rate=0, max_chars_per_minute=6_000), clock.time)
    for chars in (3_000, 2_999, 1):
        limits.check_chars("ana", chars)
    with pytest.raises(TooFastError, match=r"this message is accepted in 10000 ms") as caught:
        limits.check_chars("ana", 1_000)
    assert (caught.value.code, caught.value.details) == ("rate_limited", {"retry_after_ms": 10_000})
    assert not caught.value.persistent
    limits.check_chars("eva", 6_000)
    clock.pass_seconds(10.0)
    limits.check_chars("ana", 1_000)
    assert limits.refusals.counts[ChatLimit.MAX_CHARS_PER_MINUTE] == 1


def test_a_message_longer_than_the_limit_is_accepted_after_a_pause() -> None:
    """L-13"""
    clock = Clock()
    limits = ChatLimits(ChatConfig(max_chars_per_minute=60), clock.time)
    limits.check_chars("ana", 600)
    clock.pass_seconds(599.0)
    with pytest.raises(TooFastError):
        limits.check_chars("ana", 600)
    clock.pass_seconds(1.0)
    limits.check_chars("ana", 600)


def test_the_limit_of_characters_can_be_off_and_changes_with_a_reload() -> None:
    """L-13"""
    limits = ChatLimits(ChatConfig(max_chars_per_minute=0), Clock().time)
    for _ in range(1_000):
        limits.check_chars("ana", 10_000)
    limits.use(ChatConfig(max_chars_per_minute=10))
    limits.check_chars("ana", 10)
    with pytest.raises(TooFastError):
        limits.check_chars("ana", 1)
