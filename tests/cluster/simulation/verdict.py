"""What went wrong in a run, by kind; nothing should."""

from __future__ import annotations

import dataclasses
from collections import Counter


@dataclasses.dataclass
class Verdict:
    """How often each kind of fault was found.

    lost         in the database, and not seen by a client that it concerns
    doubled      seen twice
    disordered   seen after a later message of the same origin
    regressed    a position that is behind the one before it
    unstored     seen, and not in the database, although nothing is delivered before its commit
    ghost        delivered without a row after its process was known to be dead
    stuck        a node or a client is not ready long after the last fault
    """

    seed: int
    kinds: Counter[str] = dataclasses.field(default_factory=Counter)
    details: list[str] = dataclasses.field(default_factory=list)
    deliveries: int = 0
    met: Counter[str] = dataclasses.field(default_factory=Counter)
    """What happened on the way, right or wrong: a run in which nothing happens shows nothing."""

    def add(self, kind: str, *what: object) -> None:
        self.kinds[kind] += 1
        if len(self.details) < 20:
            self.details.append(f"{kind}: {' '.join(map(str, what))}")

    def __bool__(self) -> bool:
        """Whether nothing went wrong."""
        return not self.kinds

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {dict(self.kinds) or 'all is well'}", *self.details]
        return "\n  ".join(lines)
