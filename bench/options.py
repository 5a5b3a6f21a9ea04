"""The command line: what to measure, for how long, on which servers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.cluster.faults import FAULTS
from bench.fairness.floods import FLOODS, Flood, chosen
from bench.peers import PEERS, USUAL
from bench.report import RESULTS


@dataclass(frozen=True, slots=True)
class Options:
    """Empty tuples and zeros mean the default of the benchmark."""

    name: str
    named: tuple[str, ...]
    rounds: int
    full: bool
    folder: Path
    seconds: float = 0.0
    recipients: tuple[int, ...] = ()
    in_flight: tuple[int, ...] = ()
    payload_bytes: tuple[int, ...] = ()
    rates: tuple[int, ...] = ()
    connections: int = 0
    rows: int = 0
    subscribers: int = 0
    every_ms: int = 0
    cut_every_s: float = 0.0
    away_s: float = 0.0
    unnoticed: float = 0.0
    seed: int = 1
    floods: tuple[Flood, ...] = ()
    outages: tuple[str, ...] = ()

    def servers(self, usual: Sequence[str] = USUAL) -> tuple[str, ...]:
        """The servers on the command line, or the benchmark's default ones."""
        return self.named or tuple(usual)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _floods(text: str) -> tuple[Flood, ...]:
    try:
        return chosen(text.split(","))
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"{error} is none of {', '.join(FLOODS)}") from error


def _outages(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in FAULTS:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(FAULTS)}")
    return names


def _servers(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(PEERS)}")
    return names


def parse(argv: Sequence[str], names: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description="chatd and its peers, side by side")
    parser.add_argument("name", choices=names, nargs="?", default="all")
    parser.add_argument(
        "--servers", type=_servers, metavar="LIST", help=f"of {','.join(PEERS)}; default: the usual ones"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds a case, the servers taking turns (3)")
    parser.add_argument("--seconds", type=float, default=0.0, help="length of a round")
    parser.add_argument("--full", action="store_true", help="every case, however long it takes")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help="where results go (bench/results)")
    parser.add_argument(
        "--recipients", type=_numbers, default=(), metavar="LIST", help="of fanout, cluster: only these"
    )
    parser.add_argument("--in-flight", type=_numbers, default=(), metavar="LIST", help="fanout: only these")
    parser.add_argument("--payload", type=_numbers, default=(), metavar="LIST", help="fanout: only these, in bytes")
    parser.add_argument("--rates", type=_numbers, default=(), metavar="LIST", help="rate, webhook: messages a second")
    parser.add_argument("--connections", type=int, default=0, help="connections: how many (10000)")
    parser.add_argument("--subscribers", type=int, default=0, help="jitter: how many (300)")
    parser.add_argument("--every-ms", type=int, default=0, help="jitter: time between two messages (500)")
    parser.add_argument("--cut-every-s", type=float, default=0.0, help="jitter: mean time until a cut (15)")
    parser.add_argument("--away-s", type=float, default=0.0, help="jitter: mean time away after one (2)")
    parser.add_argument("--unnoticed", type=float, default=0.0, help="jitter: share of cuts the server is not told of")
    parser.add_argument("--seed", type=int, default=1, help="jitter: of the cuts (1)")
    parser.add_argument("--floods", type=_floods, default=(), metavar="LIST", help="fairness: only these")
    parser.add_argument("--outages", type=_outages, default=(), metavar="LIST", help="cluster: only these")
    parser.add_argument(
        "--rows",
        type=int,
        default=0,
        help="messages in the database of history (10000000), or for webhook's receiver that is down (100000)",
    )
    args = parser.parse_args(argv)
    return Options(
        name=args.name,
        named=args.servers or (),
        rounds=args.rounds,
        full=args.full,
        folder=args.out,
        seconds=args.seconds,
        recipients=args.recipients,
        in_flight=args.in_flight,
        payload_bytes=args.payload,
        rates=args.rates,
        connections=args.connections,
        rows=args.rows,
        subscribers=args.subscribers,
        every_ms=args.every_ms,
        cut_every_s=args.cut_every_s,
        away_s=args.away_s,
        unnoticed=args.unnoticed,
        seed=args.seed,
        floods=args.floods,
        outages=args.outages,
    )
