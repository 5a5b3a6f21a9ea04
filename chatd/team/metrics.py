"""Metrics of a team of admins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chatd.base.histogram import Histogram
from chatd.base.metric import Group, Kind, Metric

if TYPE_CHECKING:
    from chatd.team.waits import Waits

GAUGE, HISTOGRAM = Kind.GAUGE, Kind.HISTOGRAM

TEAM_METRICS: Final[Group[Waits]] = Group("team", (
    Metric(
        "chatd_team_waiting",
        GAUGE,
        "Users who wait for an answer of a team of admins; NaN without a team. The same on every node.",
        "Grows for an hour: too few admins are online. Always 0: check that the site connects to the chat.",
        lambda team: team.waiting,
    ),
    Metric(
        "chatd_team_longest_wait_seconds",
        GAUGE,
        "The longest wait for an answer; 0 if no user waits, NaN without a team.",
        "Above your target: a conversation was forgotten; it is the first in the list of those without an answer.",
        lambda team: team.longest_s,
    ),
    Metric(
        "chatd_team_claimed",
        GAUGE,
        "Conversations that an admin has claimed; NaN without a team.",
        "Stays high at night: admins leave their pages open and do not resolve conversations.",
        lambda team: team.claimed,
    ),
    Metric(
        "chatd_team_first_answer_seconds",
        HISTOGRAM,
        "Time from a user's first message in a new or resolved conversation to the first answer of an admin.",
        "The wait that visitors notice. Grows: use more admins, canned replies, or opening hours in the widget.",
        lambda team: team.first_answer_s,
        off=Histogram(()),
    ),
    Metric(
        "chatd_team_answer_seconds",
        HISTOGRAM,
        "Time from a user's first unanswered message to the answer of an admin, for every answer.",
        "Far above the metric before: first answers are quick and later ones slow; see who has claimed them.",
        lambda team: team.answer_s,
        off=Histogram(()),
    ),
))  # fmt: skip
