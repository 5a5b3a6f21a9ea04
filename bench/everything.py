"""All benchmarks, one after the other: what `make bench` runs. Under ten minutes once the peers are set up."""

from __future__ import annotations

import time

from bench import codec, connections, fanout, rate, relay, rooms
from bench.options import Options
from bench.rig import say


def run(options: Options) -> None:
    start = time.monotonic()
    for benchmark in (fanout, rate, relay, connections, codec, rooms):
        benchmark.run(options)
        say(f"{time.monotonic() - start:.0f} s so far")
