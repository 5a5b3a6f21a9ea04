"""The objects that metrics read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatd.base.metric import Group

if TYPE_CHECKING:
    from chatd.ops.lag import LoopLag
    from chatd.ops.readiness import ReadinessGate
    from chatd.ops.watched import Watched
    from chatd.settings.reload import Reload


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that a metric may read."""

    watched: Watched
    lag: LoopLag
    gate: ReadinessGate
    reload: Reload[Any]
    groups: Sequence[Group[Any]]
    """The metrics of parts."""
