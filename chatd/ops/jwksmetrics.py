"""Metrics of the identity provider whose keys sign the tokens. See metrics.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from chatd.ops.metric import Kind, Labels, Metric, Sources
from chatd.ops.watched import KeyProvider


def _of_provider(read: Callable[[KeyProvider], float]) -> Callable[[Sources], float]:
    return lambda sources: next((read(one) for one in sources.watched.providers), math.nan)


def _questions(sources: Sources) -> dict[Labels, float]:
    for provider in sources.watched.providers:
        return {(outcome,): float(count) for outcome, count in provider.outcomes.items()}
    return {("answered",): math.nan}


JWKS_METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "chatd_jwks_keys",
        Kind.GAUGE,
        "Keys of the identity provider that are accepted in tokens; NaN without --jwks-url.",
        "0: no user with a token of the provider can join. The log has the provider's answer; `chatd check` asks it "
        "again.",
        _of_provider(lambda provider: float(len(provider.keys))),
    ),
    Metric(
        "chatd_jwks_age_seconds",
        Kind.GAUGE,
        "Seconds since the provider last gave its keys; NaN before the first time, and without --jwks-url.",
        "Above `jwks_refresh`: the provider does not answer. The known keys are accepted until `jwks_keep`.",
        _of_provider(lambda provider: provider.age_s),
    ),
    Metric(
        "chatd_jwks_questions_total",
        Kind.COUNTER,
        "Requests to the provider for its keys, by outcome.",
        "failed grows: see chatd_jwks_age_seconds. answered grows faster than once each `jwks_refresh`: tokens are "
        "signed with keys that the provider does not list; see chatd_refusals_total{by=\"provider\"}.",
        _questions,
        ("outcome",),
    ),
)  # fmt: skip
