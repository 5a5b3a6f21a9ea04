"""All benchmarks, one after the other: what `make bench` runs. Under ten minutes once the peers are set up."""

from __future__ import annotations

from bench import codec, connections, fanout, rate, relay, rooms, summary
from bench.fairness import measure as fairness
from bench.load import LoadError
from bench.options import Options
from bench.rig import say
from bench.server import ServerError


def run(options: Options) -> None:
    """Continue after a failure, and fail at the end: the results of the other servers are kept."""
    failures = []
    benchmarks = (fanout.run, rate.run, relay.run, connections.run, codec.run, rooms.run, fairness.run_short)
    for benchmark in benchmarks:
        try:
            benchmark(options)
        except (LoadError, ServerError) as error:
            say(f"FAILED: {error}")
            failures.append(str(error))
    summary.write(options.folder)
    if failures:
        raise LoadError("\n".join(failures))
