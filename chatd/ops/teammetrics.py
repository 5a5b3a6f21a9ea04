"""Metrics of a team of admins. See metrics.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from chatd.base.histogram import Histogram
from chatd.ops.metric import Kind, Metric, Sources
from chatd.ops.watched import Team

GAUGE, HISTOGRAM = Kind.GAUGE, Kind.HISTOGRAM


def _of_team(sources: Sources, read: Callable[[Team], float]) -> float:
    team = sources.watched.team
    return math.nan if team is None else float(read(team))


def _waits(sources: Sources, read: Callable[[Team], Histogram]) -> Histogram:
    """Without a team, one of nothing."""
    team = sources.watched.team
    return Histogram(()) if team is None else read(team)


TEAM_METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "chatd_team_waiting",
        GAUGE,
        "Users who have written to a team of admins and have no answer; NaN without a team. The same on every node.",
        "Grows for an hour: too few admins are here. Always 0: ask whether the site reaches the chat.",
        lambda sources: _of_team(sources, lambda team: team.waiting),
    ),
    Metric(
        "chatd_team_longest_wait_seconds",
        GAUGE,
        "How long the first of them has waited; 0 if no user waits, NaN without a team.",
        "Above what you promise: a conversation was forgotten; it is the first of the list without an answer.",
        lambda sources: _of_team(sources, lambda team: team.longest_s),
    ),
    Metric(
        "chatd_team_claimed",
        GAUGE,
        "Conversations that an admin is on; NaN without a team.",
        "Stays high at night: admins leave their pages open, and nothing is resolved.",
        lambda sources: _of_team(sources, lambda team: team.claimed),
    ),
    Metric(
        "chatd_team_first_answer_seconds",
        HISTOGRAM,
        "From a user's first message, since the conversation was new or resolved, until an admin answered.",
        "This is what visitors feel. Grows: more admins, canned replies, or opening hours in the widget.",
        lambda sources: _waits(sources, lambda team: team.first_answer_s),
    ),
    Metric(
        "chatd_team_answer_seconds",
        HISTOGRAM,
        "From a user's first message without an answer until an admin answered, each time.",
        "Far above the one before: conversations begin well and are left alone; see who has claimed them.",
        lambda sources: _waits(sources, lambda team: team.answer_s),
    ),
)  # fmt: skip
