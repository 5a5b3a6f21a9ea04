"""`python -m bench [<name>] [options]`: run one benchmark; without a name, all of them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bench import codec, connections, everything, fanout, history, jitter, machine, rate, relay, rooms, smoke
from bench.build import SetupError
from bench.cluster import measure as cluster
from bench.fairness import measure as fairness
from bench.load import LoadError
from bench.options import Options, parse
from bench.server import ServerError
from bench.webhook import measure as webhook

BENCHMARKS: Final[Mapping[str, Callable[[Options], None]]] = {
    "all": everything.run,
    "fanout": fanout.run,
    "rate": rate.run,
    "relay": relay.run,
    "connections": connections.run,
    "codec": codec.run,
    "history": history.run,
    "rooms": rooms.run,
    "jitter": jitter.run,
    "fairness": fairness.run,
    "cluster": cluster.run,
    "webhook": webhook.run,
    "smoke": smoke.run,
}


def main(argv: Sequence[str]) -> int:
    """Return 0 when everything was measured, 1 when a server failed or lost a message."""
    options = parse(argv, list(BENCHMARKS))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds the stack, which ends the servers
    machine.allow_many_files()
    if machine.cores().shared:
        print("bench: one core for server and load: these figures mean little", file=sys.stderr)
    try:
        BENCHMARKS[options.name](options)
    except (LoadError, ServerError, SetupError) as error:
        print(f"bench: FAILED: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
