"""The command line: what to measure, for how long, against whom."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.peers import PEERS
from bench.report import RESULTS

SMOKE_SERVERS: Final = ("chatd", "floor")  # what a machine without Node.js can run


@dataclass(frozen=True, slots=True)
class Options:
    """Empty tuples and zeros mean: as the benchmark itself has it."""

    name: str
    servers: tuple[str, ...]
    rounds: int
    full: bool
    folder: Path
    seconds: float = 0.0
    recipients: tuple[int, ...] = ()
    in_flight: tuple[int, ...] = ()
    payload_bytes: tuple[int, ...] = ()
    rates: tuple[int, ...] = ()
    connections: int = 0


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _servers(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(PEERS)}")
    return names


def parse(argv: Sequence[str], names: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description="chatd and its peers, side by side")
    parser.add_argument("name", choices=names, nargs="?", default="all")
    parser.add_argument("--servers", type=_servers, metavar="LIST", help=f"of {','.join(PEERS)}; default all")
    parser.add_argument("--rounds", type=int, default=3, help="rounds a case, the servers taking turns (3)")
    parser.add_argument("--seconds", type=float, default=0.0, help="length of a round")
    parser.add_argument("--full", action="store_true", help="every case, however long it takes")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help="where results go (bench/results)")
    parser.add_argument("--recipients", type=_numbers, default=(), metavar="LIST", help="fanout: only these")
    parser.add_argument("--in-flight", type=_numbers, default=(), metavar="LIST", help="fanout: only these")
    parser.add_argument("--payload", type=_numbers, default=(), metavar="LIST", help="fanout: only these, in bytes")
    parser.add_argument("--rates", type=_numbers, default=(), metavar="LIST", help="rate: messages a second")
    parser.add_argument("--connections", type=int, default=0, help="connections: how many (10000)")
    args = parser.parse_args(argv)
    return Options(
        name=args.name,
        servers=args.servers or (SMOKE_SERVERS if args.name == "smoke" else tuple(PEERS)),
        rounds=args.rounds,
        full=args.full,
        folder=args.out,
        seconds=args.seconds,
        recipients=args.recipients,
        in_flight=args.in_flight,
        payload_bytes=args.payload,
        rates=args.rates,
        connections=args.connections,
    )
