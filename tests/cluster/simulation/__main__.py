"""`python -m tests.cluster.simulation --seeds 100000`: that many runs, on all cores. `--seed 17`: only that run."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.cluster.simulation.verdict import Verdict
from tests.cluster.simulation.world import simulate


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if no run failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100_000, help="how many runs")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    parser.add_argument("--seed", type=int, help="only this one, in full")
    arguments = parser.parse_args(argv)
    if arguments.seed is not None:
        verdict = simulate(arguments.seed)
        print(verdict, dict(verdict.met), sep="\n")
        return 0 if verdict else 1
    return _many(range(arguments.first, arguments.first + arguments.seeds))


def _many(seeds: range) -> int:
    """Print each failed run at once, and a summary at the end."""
    deliveries, bad, met = 0, 0, Counter[str]()
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for verdict in pool.map(simulate, seeds, chunksize=50):
            deliveries += verdict.deliveries
            met += verdict.met
            if not verdict:
                bad += 1
                print(_described(verdict), flush=True)
    print(f"{len(seeds)} runs, {deliveries} deliveries, {bad} bad runs")
    print(", ".join(f"{what}: {count}" for what, count in met.most_common()))
    return 1 if bad or not deliveries else 0


def _described(verdict: Verdict) -> str:
    return f"{verdict}\n  again: python -m tests.cluster.simulation --seed {verdict.seed}"


if __name__ == "__main__":
    sys.exit(main())
