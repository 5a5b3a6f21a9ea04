"""Metrics of the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatd.base.metric import Group, Kind, Metric

if TYPE_CHECKING:
    from chatd.chat.counts import ChatCounts

COUNTER, GAUGE = Kind.COUNTER, Kind.GAUGE

CHAT_METRICS: Final[Group[ChatCounts]] = Group("chat", (
    Metric(
        "chatd_users",
        GAUGE,
        "Connected users; a user with several tabs counts once.",
        "Falls while chatd_sessions stays: sockets cannot join; see chatd_refusals_total{by=\"door\"}.",
        lambda chat: chat.users,
    ),
    Metric(
        "chatd_admin_sockets",
        GAUGE,
        "Sockets in the room admins.",
        "0 in office hours: users write and no admin sees it. Each socket adds one delivery of every message.",
        lambda chat: chat.admins,
    ),
    Metric(
        "chatd_events_received_total",
        COUNTER,
        "Events that clients sent, refused ones included.",
        "Jumps while chatd_messages_sent_total does not: look at chatd_refusals_total{by=\"chat\"}.",
        lambda chat: chat.events,
    ),
    Metric(
        "chatd_recoveries_total",
        COUNTER,
        "Clients that reconnected with the position of their last message, by outcome. complete: every missed message "
        "was sent.",
        "Many incomplete: clients missed more than `recovery_limit` messages, or the database cannot be read.",
        lambda chat: {(outcome,): count for outcome, count in chat.recoveries.items()},
        ("outcome",),
    ),
))  # fmt: skip
