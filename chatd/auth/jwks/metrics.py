"""Metrics of the identity provider whose keys sign tokens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from chatd.base.metric import Group, Kind, Metric

if TYPE_CHECKING:
    from chatd.auth.jwks.provider import Provider

JWKS_METRICS: Final[Group[Provider]] = Group("provider", (
    Metric(
        "chatd_jwks_keys",
        Kind.GAUGE,
        "Keys of the identity provider that are accepted in tokens; NaN without --jwks-url.",
        "0: no user with a token of the provider can join. The log has the provider's answer; `chatd check` asks it "
        "again.",
        lambda provider: float(len(provider.keys)),
    ),
    Metric(
        "chatd_jwks_age_seconds",
        Kind.GAUGE,
        "Seconds since the provider last gave its keys; NaN before the first time, and without --jwks-url.",
        "Above `jwks_refresh`: the provider does not answer. The known keys are accepted until `jwks_keep`.",
        lambda provider: provider.age_s,
    ),
    Metric(
        "chatd_jwks_questions_total",
        Kind.COUNTER,
        "Requests to the provider for its keys, by outcome.",
        "failed grows: see chatd_jwks_age_seconds. answered grows faster than once each `jwks_refresh`: tokens are "
        "signed with keys that the provider does not list; see chatd_refusals_total{by=\"provider\"}.",
        lambda provider: {(outcome,): float(count) for outcome, count in provider.outcomes.items()},
        ("outcome",),
        {("answered",): math.nan},
    ),
))  # fmt: skip
