"""The faults found in a run, by kind."""

from __future__ import annotations

import dataclasses
from collections import Counter


@dataclasses.dataclass
class Verdict:
    """The number of faults of each kind.

    lost         stored, and not received by a client that should have it
    doubled      received twice
    disordered   received after a later message of the same origin
    regressed    a position that is behind the one before it
    unstored     received, and not stored, although messages are delivered after their commit
    ghost        unstored, and delivered after its process was known to be dead
    stuck        a node or a client is not ready long after the last fault
    """

    seed: int
    kinds: Counter[str] = dataclasses.field(default_factory=Counter)
    details: list[str] = dataclasses.field(default_factory=list)
    deliveries: int = 0
    met: Counter[str] = dataclasses.field(default_factory=Counter)
    """Counts of situations, faulty or not: they show that a run covered them."""

    def add(self, kind: str, *what: object) -> None:
        self.kinds[kind] += 1
        if len(self.details) < 20:
            self.details.append(f"{kind}: {' '.join(map(str, what))}")

    def __bool__(self) -> bool:
        """Whether there was no fault."""
        return not self.kinds

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {dict(self.kinds) or 'all is well'}", *self.details]
        return "\n  ".join(lines)
