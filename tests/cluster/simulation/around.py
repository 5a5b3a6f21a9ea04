"""Objects that all processes of a run share."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

from chatd.cluster.core.vector import Vector
from tests.cluster.simulation.bus import Bus
from tests.cluster.simulation.clock import Clock
from tests.cluster.simulation.database import Database
from tests.cluster.simulation.plan import Deliver
from tests.cluster.simulation.verdict import Verdict


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """`scheme` maps the position that a client sends to the position that is used for the query."""

    deliver: Deliver
    clock: Clock
    luck: random.Random
    database: Database
    bus: Bus
    scheme: Callable[[Vector], Vector]
    verdict: Verdict
