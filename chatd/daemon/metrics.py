"""Every metric of chatd: the only source for the scrape, the README and the dashboard.

The imported modules declare metrics only. They do not import their parts, since most parts are off.
"""

from __future__ import annotations

from typing import Any, Final

from chatd.auth.jwks.metrics import JWKS_METRICS
from chatd.base.metric import Group, Metric
from chatd.chat.metrics import CHAT_METRICS
from chatd.chat.neighbours.metrics import NEIGHBOUR_METRICS
from chatd.chat.nodes.metrics import NODE_METRICS
from chatd.ops.metrics import DAEMON_METRICS
from chatd.store.metrics import STORE_METRICS
from chatd.team.metrics import TEAM_METRICS
from chatd.webhooks.metrics import HOOK_METRICS

GROUPS: Final[tuple[Group[Any], ...]] = (
    CHAT_METRICS,
    STORE_METRICS,
    NODE_METRICS,
    NEIGHBOUR_METRICS,
    TEAM_METRICS,
    HOOK_METRICS,
    JWKS_METRICS,
)
"""The metrics of parts; DAEMON_METRICS are those of the daemon itself."""

METRICS: Final[tuple[Metric[Any], ...]] = tuple(
    metric for group in (DAEMON_METRICS, *GROUPS) for metric in group.metrics
)


def table() -> str:
    """The metrics as a Markdown table."""
    lines = ["| metric | what it is | when it moves |", "|---|---|---|"]
    for metric in METRICS:
        labels = f"{{{','.join(metric.labels)}}}" if metric.labels else ""
        lines.append(f"| `{metric.name}{labels}` ({metric.kind}) | {metric.help} | {metric.advice} |")
    return "\n".join(lines) + "\n"
