"""`chatd alerts`: alert rules for Prometheus, on stdout."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "For rule_files of prometheus.yml, where the job is called chatd."


def run(_: argparse.Namespace) -> int:
    sys.stdout.write(files("chatd.ops").joinpath("alerts.yml").read_text(encoding="utf-8"))
    return 0
